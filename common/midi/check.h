/*
 * check - are these bytes whole MIDI messages, and nothing else?
 *
 * Each begins with a status byte of its own (no running status), none is cut short or interrupted. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if so (also for none at all). Else `*at` is the number of the byte from 0 (len = behind the last) and `*why` what is wrong there. */
bool bh_midi_is_whole(const uint8_t *bytes, size_t len, size_t *at, const char **why);
