/* pointer.h: what a mouse did. */
#pragma once

enum pointer_kind { POINTER_PRESS, POINTER_DRAG, POINTER_RELEASE, POINTER_WHEEL };
struct pointer {
    enum pointer_kind kind;
    int x, y;
    int by;               /* wheel: 1 up (or left), -1 down */
    bool shift, ctrl;
};
