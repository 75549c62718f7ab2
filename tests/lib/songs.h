/* songs.h: songs in tests: compared, saved among others, and made into data sets. */
#pragma once
#include "phrase.h"
#include "song.h"

/* Fails unless the notes are the same; padding is not part of a note. */
void songs_same_notes(const struct track *a, const struct track *b);
/* As the MIDI file FOLDER/DIR/NAME; frees the song. */
void songs_save(struct song *s, const char *folder, const char *dir, const char *name);
/* Builds a data set at a path from the songs of a folder, and opens it. */
struct dataset *songs_data(const char *folder, const struct dataset_opts *o, const char *path);
