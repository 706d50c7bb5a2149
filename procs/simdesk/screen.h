/*
 * screen - the desk in a terminal, played by keys and mouse
 *
 * In:    keys, mouse, the desk's state
 * Out:   a picture, redrawn at most 20 times a second and only when something is different
 * Fails: without a terminal screen_new() returns NULL. The terminal is put back by screen_free(), and also when the
 *        program dies by a signal of its own making.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/loop.h"
#include "procs/simdesk/cable.h"
#include "procs/simdesk/model.h"
#include "procs/simdesk/run.h"

struct screen;

/* All are borrowed. NULL and errno on failure. */
struct screen *screen_new(struct bh_loop *loop, struct desk *desk, struct cable *cable,
			  struct run_env *env);
void screen_free(struct screen *s); /* NULL is fine */
void screen_draw(struct screen *s, uint64_t now_ns);
/* When screen_draw() has something to do again; 0 = when something happens. */
uint64_t screen_next_ns(const struct screen *s);
bool screen_wants_quit(const struct screen *s);
