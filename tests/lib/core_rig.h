/*
 * core_rig.h - the router's core on a bench: a small desk, a small mixer, a clock that we turn
 *
 * Controls of the desk (slot 4) and parameters of the mixer "mix" (slot 5) are the two enums. Pages: "Mix" (the channel strips of
 * channel 1 and 2), "Other" (the same faders on other parameters, other labels), "Bare" (nothing); global: f1 = next
 * page, f2 = page/go Other.
 */
#pragma once

#include <stdint.h>

#include "common/request.h"
#include "procs/router/core.h"

enum rig_slot { RIG_DESK = 4, RIG_MIX = 5 };
enum rig_ctl {
	RIG_FADER1, RIG_FADER2, RIG_MUTE, RIG_VPOT, RIG_STRIP1, RIG_STRIP2, RIG_METER, RIG_DIGITS, RIG_PLAY, RIG_LED, RIG_F1,
	RIG_F2, RIG_SCENE, RIG_JOG, RIG_LOST, RIG_TOUCH1, RIG_PEDAL, RIG_CTLS
};
enum rig_param {
	RIG_LEVEL1, RIG_LEVEL2, RIG_MUTED, RIG_PAN, RIG_SCENES, RIG_PEAK, RIG_RECORDING, RIG_LEVEL3, RIG_TITLE, RIG_ROOM, RIG_RO, RIG_COUNT,
	RIG_PARAMS
};
#define RIG_RECORDS 1024
#define RIG_DESK_BASE 64
#define RIG_MIX_BASE 320

#define RIG_LOG 4096
struct rig_out {
	uint16_t slot, flags;
	struct bh_event ev;
	union bh_val v;
	uint64_t at_ns;
};

struct rig {
	struct bh_core *core;
	struct bh_config config;
	struct bh_tx tx;
	uint64_t now_ns;
	uint32_t desk_gen[RIG_CTLS], mix_gen[RIG_PARAMS], total[RIG_CTLS];
	uint32_t room; /* of every ring */
	struct rig_out log[RIG_LOG];
	unsigned logged;
	uint64_t digest; /* of all outputs and changes so far */
	uint32_t request;
	int result; /* of the last request */
	char result_text[64];
};

/* A compiled configuration: the rig's own, or a large one of `pages` x `per_page` bindings over many parameters. Returns a descriptor. */
int rig_config(void);
int rig_large_config(unsigned pages, unsigned per_page);
/* Another one of the same: fader1 on page Mix is bound to ch3/level. */
int rig_changed_config(void);

/* One's own: rig_make(), then for each page its bindings (rig_bind(), changed, rig_put()) and rig_page(), global ones, rig_finish(). */
struct rig_maker {
	struct bh_config_writer *w;
	uint32_t bindings;
};
void rig_make(struct rig_maker *m); /* the desk and the mixer */
uint32_t rig_str(struct rig_maker *m, const char *s);
struct bh_cfg_binding *rig_bind(struct rig_maker *m, unsigned page, unsigned ctl, unsigned kind, const char *target);
void rig_put(struct rig_maker *m, const struct bh_cfg_binding *b);
void rig_page(struct rig_maker *m, const char *name, uint32_t first);
void rig_page_action(struct rig_maker *m, unsigned ctl, const char *verb, const char *arg); /* global */
int rig_finish(struct rig_maker *m, uint64_t generation);

struct rig *rig_new(void); /* everything known, the mixer up, the log empty */
struct rig *rig_new_with(int config_fd, bool directory);
struct rig *rig_new_full(int config_fd); /* as rig_new() */
void rig_free(struct rig *r);
/* A core that goes on from the records of `r`, as a successor does. */
void rig_restart(struct rig *r);
void rig_reconfigure(struct rig *r, int config_fd);
void rig_directory(struct rig *r);
void rig_dir_add(struct rig *r, unsigned index, const char *name, unsigned flags, unsigned was);

void rig_begin(struct rig *r);
void rig_end(struct rig *r);
void rig_event(struct rig *r, uint16_t from, struct bh_event ev);
void rig_advance(struct rig *r, unsigned ms); /* the clock, running every timer at its time */

void desk_touch(struct rig *r, unsigned ctl, bool touched);
void desk_move(struct rig *r, unsigned ctl, double pos);
void desk_push(struct rig *r, unsigned ctl, bool pressed);
void desk_press(struct rig *r, unsigned ctl); /* and let go */
void desk_turn(struct rig *r, unsigned ctl, int ticks);
void mix_report(struct rig *r, unsigned param, double x);
void mix_report_text(struct rig *r, unsigned param, const char *s);
void mix_meter(struct rig *r, double x);
void mix_health(struct rig *r, enum bh_health h);
int ask(struct rig *r, uint16_t from, enum bh_request what, uint16_t slot, unsigned index, enum bh_type type, double x,
	const char *text);

const struct bh_rec_control *desk_ctl(struct rig *r, unsigned ctl);
const struct bh_rec_param *mix_param(struct rig *r, unsigned param);
double mix_value(struct rig *r, unsigned param); /* the newest */

/* From the log, since it was cleared. */
void rig_clear(struct rig *r);
unsigned told_count(const struct rig *r, unsigned ctl);
const struct rig_out *told_last(const struct rig *r, unsigned ctl);
unsigned sent_count(const struct rig *r, unsigned param);
const struct rig_out *sent_last(const struct rig *r, unsigned param);
unsigned actions_count(const struct rig *r);
const struct rig_out *action_last(const struct rig *r);
double fader_at(double db); /* position of a level */
