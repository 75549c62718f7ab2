/* folder.h: folders of files that tests make and take away. */
#pragma once

/* With all that is in it; fails the test when something stays. */
void folder_remove(const char *dir);
