/* hear.h - what a device of Mackie Control says, in words. Pure */
#pragma once

#include <stddef.h>

#include "common/midi/parse.h"

/* "fader 1 at 8192", "button mute3 pressed", "note 24 on, 127". */
void hear_words(const struct bh_midi_msg *msg, char *out, size_t cap);
/* A message as bytes: "90 18 7f". Returns how many. */
size_t hear_hex(const struct bh_midi_msg *msg, char *out, size_t cap);
