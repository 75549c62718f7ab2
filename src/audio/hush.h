/* hush.h: keeps the sound libraries from printing on a screen that is not theirs. Private to src/audio. */
#pragma once

/* FluidSynth's messages go to the log, ALSA's are dropped. Once a process; cheap to call again. */
void hush_libraries(void);
const char *hush_last_error(void); /* FluidSynth's last complaint on this thread, "" when there was none */
