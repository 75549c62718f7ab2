/* folder.h: folders of files that tests make and take away. */
#pragma once

/* With all that is in it; fails the test when something stays. */
void folder_remove(const char *dir);
/* The same, but no folder may be in it; 0, or what a teardown returns when something stays. */
int folder_remove_flat(const char *dir);
