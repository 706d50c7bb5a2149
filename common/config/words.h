/*
 * words.h - what stands in a compiled configuration, in words for people: for learn, explain and messages
 *
 * Texts are cut to fit, at a whole character; all take a configuration that was opened (compiled.h), and allocate nothing.
 */
#pragma once

#include <stddef.h>

#include "common/config/compiled.h"

/* "loop/ch1/level", "room/layer/shift"; of the router's own actions "page/go", "bank/next"; "" for nothing. */
void bh_words_target(const struct bh_config *c, uint16_t driver, uint16_t action, uint32_t target, char *out, size_t cap);
/* "loop/scene == Opening", "not loop/ch1/mute"; "" where there is no condition. */
void bh_words_cond(const struct bh_config *c, const struct bh_cfg_cond *cond, char *out, size_t cap);
/* "set loop/ch1/mute to on", "300 ms later loop/mark, if loop/ch1/level > -10". */
void bh_words_step(const struct bh_config *c, const struct bh_cfg_step *s, char *out, size_t cap);
/* What a row does: "toggle loop/ch1/mute", "held for 500 ms: action loop/store x", "light flashes while loop/scene == Opening". */
void bh_words_binding(const struct bh_config *c, const struct bh_cfg_binding *b, char *out, size_t cap);
