/*
 * stage.h - the router's core behind a configuration in YAML: hands and backends by name, and a clock that we turn
 *
 *	struct stage *s = stage_new("bulkhead: 1\nsurfaces: {desk: {device: x-touch}}\ndrivers: {loop: {}}\npages: ...");
 *	stage_param(s, "loop/ch1/mute", BH_BOOL, 0, 1, NULL);
 *	stage_tap(s, "mute1");
 *	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 1);
 *
 * The compiler is the real one, with the kinds of the build and the devices of the repository. A parameter that is used without
 * having been described is made: a FLOAT from 0 to 1. Whatever makes no sense ends the running test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/records.h"
#include "shm/layout.h"

struct stage;

/* All drivers are up; nothing is known. */
struct stage *stage_new(const char *yaml);
void stage_free(struct stage *s);
/* A successor of the router goes on from the records. */
void stage_restart(struct stage *s);
/* Another configuration; parameters stay described. */
void stage_reload(struct stage *s, const char *yaml);

/* `choices`: "Day|Night", NULL = none. */
void stage_param(struct stage *s, const char *name, enum bh_type type, double min, double max, const char *choices);
/* Its driver takes it away. */
void stage_remove(struct stage *s, const char *name);
/* What its driver says it is. */
void stage_report(struct stage *s, const char *name, double x);
void stage_health(struct stage *s, const char *driver, enum bh_health h);
/* Newest value as the router knows it, "room/..." too; NAN = not known. */
double stage_value(struct stage *s, const char *name);
/* The same of a TEXT, or of an ENUM its choice. Until the next call. */
const char *stage_words(struct stage *s, const char *name);
/* As the tool sets it. */
void stage_set(struct stage *s, const char *name, double x);
void stage_set_text(struct stage *s, const char *name, const char *text);

/* Hands. A control is "mute1", or "desk/mute1" where there are several surfaces. */
void stage_press(struct stage *s, const char *button);
void stage_release(struct stage *s, const char *button);
void stage_tap(struct stage *s, const char *button); /* both, at the same moment */
void stage_touch(struct stage *s, const char *fader, bool on);
void stage_move(struct stage *s, const char *fader, double pos); /* with a hand on it */
void stage_turn(struct stage *s, const char *wheel, int ticks);
void stage_advance(struct stage *s, unsigned ms); /* timers run at their times */
void stage_skip(struct stage *s, unsigned ms);	  /* they do not run: nobody was there */
uint64_t stage_now(const struct stage *s);

/* Since stage_clear(): the value sent last to a driver's parameter (NAN = none), and how often one was sent. */
double stage_sent(struct stage *s, const char *name);
unsigned stage_sent_count(struct stage *s, const char *name);
/* The actions sent, in order: "loop/mark() loop/scene(A)". */
const char *stage_done(struct stage *s);
/* How often a control was told something. */
unsigned stage_told_count(struct stage *s, const char *control);
void stage_clear(struct stage *s);

/* What a control shows: a light or ring as its number, a fader's position; the text of a strip ("1Host\n0.0dB") or display. */
int64_t stage_shown(struct stage *s, const char *control);
double stage_motor(struct stage *s, const char *control);
const char *stage_text(struct stage *s, const char *control);
const struct bh_rec_control *stage_control(struct stage *s, const char *control);
