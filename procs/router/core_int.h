/* core_int.h - what the files of the core share; see core.h for the whole */
#pragma once

#include "common/feedback.h"
#include "common/request.h"
#include "procs/router/core.h"
#include "procs/router/taper.h"
#include "shm/crc.h"

#define NONE 0xffffffffu
#define CORE_OWED_MAX 16u

/* A control of a surface. */
struct core_ctl {
	uint16_t slot, index;
	uint32_t rec;
	const struct bh_cfg_control *cfg;
	uint32_t entry; /* of the page shown, or NONE */
	uint32_t part[BH_PART_COUNT]; /* its binding of each part (LIGHT: the first), or NONE. None at all on a blank place of a bank */
	uint32_t lights; /* bindings of LIGHT, one after the other */
	uint32_t drive;	 /* binding that the hand drives: the main one, or that of the page it was grabbed on */
	uint32_t touch_button; /* fader: the button that a touch presses, or NONE */
	uint32_t strip;	 /* fader, V-Pot: the scribble strip of the same number, or NONE */
	uint32_t fader;	 /* strip: its fader, else its V-Pot, or NONE */
	uint64_t look_ns; /* what it shows changes by itself then; 0 = never */
	bool queued;	 /* to be rendered */
	bool meter_live; /* the last level passed on was not 0 */
	uint32_t meter_param; /* it was this one's, NONE = unknown */
	uint32_t meter_gen; /* meters: generation that stands in the cell */
	bool replanned;	 /* a new configuration changed its flags: to be written down */
};

/* What a page has for a control, without a layer or while one is on; pages, layers and banks are switched by entries. */
struct core_entry {
	uint64_t key; /* page, layer (row of BH_TAB_ROOM + 1, 0 = none), surface, control: 16 bits each, sorted by it */
	uint32_t part[BH_PART_COUNT], lights; /* as in core_ctl */
	uint32_t ctl;
	uint16_t bank, place; /* bank + 1, 0 = none */
	uint32_t stamp; /* bank: what its place was when its targets were set; see core_place */
	bool of_page; /* it looks different on another page */
};

/* A row of strips over a list: see bank.c. */
struct core_item {
	char name[BH_NAME_MAX + 8];
	uint32_t hash;
	bool there; /* else its place is blank */
};
struct core_place {
	const char *pin; /* the item that is always on it, or "" */
	uint32_t item;	 /* on it now, or NONE: blank */
	uint32_t stamp;	 /* another one whenever it is another item */
};
struct core_bank {
	const struct bh_cfg_bank *cfg;
	struct core_item *item;
	uint32_t items, cap;
	uint32_t *flow, flows; /* those that are not pinned, in order */
	struct core_place *place;
	uint32_t free; /* places without a pin */
	uint32_t *ctl, ctls; /* controls that have an entry in it */
	uint32_t serial;
};

/* Surfaces whose pages turn together. Number 0 is the main group. */
struct core_group {
	uint32_t row;  /* of BH_TAB_ROOM: its parameter, or NONE */
	uint32_t page; /* shown */
};

/* A parameter of a driver, as its directory says; or of the router itself, as the configuration says (room.c). */
struct core_param {
	uint16_t slot;
	uint16_t choices;
	uint8_t type, access;
	bool present, queued;
	bool unsure; /* METER: what its driver was told may not stand in its cell */
	bool replanned; /* of the room: a new configuration moved its record: to be written down */
	uint32_t index, rec, dir_gen;
	uint32_t target; /* first of the targets that it stands behind, or NONE */
	uint32_t next; /* same bucket of names */
	uint32_t hash;
	uint32_t choices_off, choices_len;
	struct bh_taper_range range;
	double def;
	char unit[12], label[24];
	char name[BH_NAME_MAX + 8];
};

/* What bindings point at: a name of a driver, and the parameter behind it once there is one. */
struct core_target {
	uint16_t driver;
	uint32_t hash;
	const char *name; /* borrowed from the configuration */
	uint32_t param;	  /* or NONE */
	uint32_t same;	  /* next target of the same parameter */
	uint32_t react;	  /* first reaction to it, or NONE */
	uint32_t first;	  /* link: what shows it on the pages shown; see core_link_binding() */
	uint32_t next;	  /* same bucket */
};

/* A process that we talk to. */
struct core_peer {
	uint8_t role;
	const char *name; /* borrowed from the configuration */
	uint32_t base, records; /* in the state */
	uint32_t first, count;	/* controls, or parameters */
	uint32_t group;	  /* surfaces: core_group */
	char *strings;	  /* names of choices of its parameters */
	uint32_t strings_len, strings_cap;
	bool reset;	  /* its generations begin anew */
	uint32_t reset_at, reset_epoch;
};

/* What a control shall show. */
struct core_shown {
	uint8_t kind; /* BH_EV_VALUE or BH_EV_METER */
	uint8_t type;
	union bh_val v;
};

struct core_plan; /* everything that is allocated per configuration */

struct bh_core {
	struct bh_core_options opt;
	const struct bh_config *config; /* borrowed */
	/* state */
	uint8_t (*rec)[BH_RECORD_BYTES];
	uint32_t *gen;
	uint32_t records;
	/* transaction */
	struct bh_tx *tx;
	uint64_t now;
	uint64_t *mark; /* transaction in which a record was changed last */
	uint64_t serial;
	/* timers: a heap of record numbers by their deadline */
	uint64_t *due;
	uint32_t *heap, *heap_pos; /* position + 1, 0 = not in it */
	uint32_t heap_len;
	/* derived */
	struct core_peer peer[BH_MAX_SLOTS];
	struct core_ctl *ctl;
	struct core_param *param;
	struct core_target *target;
	uint32_t ctls, params, targets;
	uint32_t *owner; /* by record: number of its control or parameter */
	const struct bh_cfg_binding *binding; /* the table in the configuration */
	uint32_t bindings, stride;
	uint32_t *binding_target; /* target, or number of the page or bank that an own action names, NONE = none */
	uint32_t *binding_when;	  /* target of its condition, or NONE */
	uint32_t *binding_ctl;	  /* its control */
	uint32_t *link; /* of 2 * binding (its target) and 2 * binding + 1 (its condition): the next one on the same target */
	uint32_t *link_back; /* and the one before */
	struct core_entry *entry;
	uint32_t entries, *bucket_entry, bucket_mask_entry;
	struct core_group group[BH_MAX_SLOTS];
	uint32_t groups;
	uint16_t *layer_on; /* rows of BH_TAB_ROOM: the layers that are on, the last one first in rank */
	uint32_t layers_on;
	struct core_bank *bank;
	uint32_t banks;
	uint32_t bank_target; /* targets from this one on are bindings' own: named while they are shown */
	char (*bank_name)[BH_NAME_MAX + 8]; /* their names */
	uint32_t room_at; /* rows of the room before this one are written down */
	uint32_t *bucket_param, *bucket_target;
	uint32_t bucket_mask_param, bucket_mask_target;
	uint32_t *react_next; /* of each reaction: the next to the same target */
	uint32_t reactions, reacting; /* how many; how deep in one another */
	uint32_t run_first; /* record of the first run, or NONE */
	uint32_t *queue, queue_head, queue_len;	  /* controls to render */
	uint32_t *tell, tell_head, tell_len;	  /* parameters to tell again */
	uint32_t resets;
	bool unsettled; /* directories are still being fed: render nothing */
	bool quiet; /* room/quiet: motors stand still, every fader takes over by pickup, nothing flashes or wanders */
	bool fine;  /* room/layer/fine: turning moves by smaller steps */
	uint64_t wall; /* the true time; `now` is behind it when a timer is carried out late */
	uint32_t holding; /* buttons that hold a parameter down, or owe it its release */
	struct core_owed { /* releases of buttons that a new configuration does not have */
		uint32_t ctl_rec, param_rec, hash;
		union bh_num v;
	} owed[CORE_OWED_MAX];
	uint32_t oweds;
	int64_t clock_ns; /* from our time to the local time of day */
	uint64_t steps;
};

/* A kind of binding: how it takes what the hand does. NULL = nothing. */
struct core_kind {
	/* True: it was done, and what is to follow it may. False: it was not, and says so itself. */
	bool (*on_press)(struct bh_core *core, struct core_ctl *c, uint32_t b, uint64_t stamp_ns);
	void (*on_value)(struct bh_core *core, struct core_ctl *c, uint32_t b, double pos, uint64_t stamp_ns);
	void (*on_relative)(struct bh_core *core, struct core_ctl *c, uint32_t b, int32_t ticks, uint64_t stamp_ns);
};
extern const struct core_kind core_kinds[BH_BIND_KIND_COUNT];

/* ------------------------------------------------------------------ core.c */
static inline struct bh_rec_global *
core_global(struct bh_core *core)
{
	return (struct bh_rec_global *)core->rec[BH_REC_GLOBAL];
}
static inline struct bh_rec_peer *
core_peer_rec(struct bh_core *core, uint16_t slot)
{
	return (struct bh_rec_peer *)core->rec[BH_REC_PEER(slot)];
}
static inline struct bh_rec_control *
core_ctl_rec(struct bh_core *core, const struct core_ctl *c)
{
	return (struct bh_rec_control *)core->rec[c->rec];
}
static inline struct bh_rec_param *
core_param_rec(struct bh_core *core, const struct core_param *p)
{
	return (struct bh_rec_param *)core->rec[p->rec];
}
static inline const struct bh_cfg_binding *
core_binding(const struct bh_core *core, uint32_t b)
{
	return (const struct bh_cfg_binding *)((const uint8_t *)core->binding + (size_t)b * core->stride);
}
static inline const char *
core_str(const struct bh_core *core, uint32_t off)
{
	return bh_config_str(core->config, off);
}

/* The record belongs to this transaction's changes. */
void core_dirty(struct bh_core *core, uint32_t rec);
/* Room for that many changes and outputs? */
bool core_has_room(const struct bh_core *core, uint32_t changes, uint32_t outputs);
/* Deadline of a record; 0 = none. */
void core_due(struct bh_core *core, uint32_t rec, uint64_t when);
/* The room is always. */
bool core_is_up(struct bh_core *core, uint16_t slot);
/* Has this process parameters? */
static inline bool
core_has_params(const struct bh_core *core, uint16_t slot)
{
	return slot < BH_MAX_SLOTS &&
	       (core->peer[slot].role == BH_ROLE_DRIVER || core->peer[slot].role == BH_ROLE_ROUTER);
}
/* A driver that has just come up tells what it has; until then nothing may be taken for unknown, or for refused. */
uint64_t core_grace_end(struct bh_core *core, uint16_t slot);
void core_peer_arm(struct bh_core *core, uint16_t slot);
/* A control, or NULL. */
struct core_ctl *core_find_ctl(struct bh_core *core, uint16_t slot, uint32_t index);
struct core_param *core_find_param(struct bh_core *core, uint16_t slot, uint32_t index);
/* Something for this process was dropped: counted with it. */
void core_count_dropped(struct bh_core *core, uint16_t slot);
/* Its action did not happen: flash. */
void core_refuse(struct bh_core *core, struct core_ctl *c);
void core_turn(struct bh_core *core, struct core_ctl *c, int32_t ticks, uint64_t stamp_ns);
/* Send an action. 0, -EHOSTDOWN, -ENOSPC. */
int core_action(struct bh_core *core, uint16_t driver, uint32_t action, uint32_t origin, uint64_t stamp_ns, const char *args,
		size_t len);
/* A value or meter, into the ring if there is room, else into its cell alone. */
void core_out_value(struct bh_core *core, uint16_t slot, struct bh_event *ev, const union bh_val *v);
/* An event with a payload, into the ring. 0 or -ENOSPC. */
int core_out_payload(struct bh_core *core, uint16_t slot, const struct bh_event *ev, const void *payload, size_t len);

/* ------------------------------------------------------------------ param.c */
/* Somebody wants a value. False: may not be set, or makes no sense. */
bool core_want(struct bh_core *core, struct core_param *p, const union bh_val *v, uint32_t origin, uint64_t stamp_ns);
void core_report(struct bh_core *core, struct core_param *p, uint32_t gen, uint8_t type, const union bh_val *v);
void core_param_timer(struct bh_core *core, struct core_param *p);
/* Arm its timer, if a differing report waits. */
void core_param_arm(struct bh_core *core, struct core_param *p);
/* Newest value, or the type NONE. */
enum bh_type core_newest(struct bh_core *core, const struct core_param *p, union bh_val *v, bool *stale);
void core_tell_param(struct bh_core *core, struct core_param *p);
/* Send its `wanted` to its driver. */
void core_param_out(struct bh_core *core, struct core_param *p, uint64_t stamp_ns);
void core_queue_tell(struct bh_core *core, uint32_t param);
/* Everything that shows this target, or parameter, is to be rendered. */
void core_queue_target(struct bh_core *core, uint32_t target);
void core_queue_param(struct bh_core *core, const struct core_param *p);
struct core_param *core_param_by_name(struct bh_core *core, uint16_t slot, const char *name);
void core_set_target(struct bh_core *core, struct core_param *p);

/* ------------------------------------------------------------------ fader.c */
void core_fader_moved(struct bh_core *core, struct core_ctl *c, double pos, uint64_t stamp_ns);
void core_fader_touched(struct bh_core *core, struct core_ctl *c, bool touched);
/* As by a hand, from a request. */
void core_fader_sent(struct bh_core *core, struct core_ctl *c, double pos, uint64_t stamp_ns);
void core_fader_render(struct bh_core *core, struct core_ctl *c);
void core_ctl_timer(struct bh_core *core, struct core_ctl *c);
void core_ctl_arm(struct bh_core *core, struct core_ctl *c);

/* ------------------------------------------------------------------ gesture.c */
/* A button is pressed, or let go. */
void core_button(struct bh_core *core, struct core_ctl *c, bool pressed, uint64_t stamp_ns);
/* Nobody can be at this button any more. */
void core_button_lost(struct bh_core *core, struct core_ctl *c);
void core_button_timer(struct bh_core *core, struct core_ctl *c);
uint64_t core_button_due(struct bh_core *core, const struct core_ctl *c); /* 0 = never */
/* Before the records are claimed for a new configuration: releases that its buttons cannot pay. */
void core_buttons_plan(struct bh_core *core);
/* In the first transaction with it: gestures that it does not know are dropped. */
void core_buttons_adopt(struct bh_core *core);
/* This parameter is there now: pay what is owed to it. */
void core_buttons_param(struct bh_core *core, struct core_param *p);

/* ------------------------------------------------------------------ turn.c */
/* How far this turn goes, in steps: acceleration, fine mode, inversion. */
double core_turn_steps(struct bh_core *core, struct core_ctl *c, const struct bh_cfg_binding *b, int32_t ticks, uint64_t stamp_ns);
/* `x` moved by `by`, in whole steps of `unit` (0 = any); what is left over is kept in the record for the next turn. */
double core_turn_whole(struct bh_core *core, struct core_ctl *c, const struct core_param *p, const struct bh_taper_range *range,
		       double x, double by, double unit);

/* ------------------------------------------------------------------ switch.c: TOGGLE, MOMENTARY, RADIO, SELECT, DO */
bool core_toggle_press(struct bh_core *core, struct core_ctl *c, uint32_t b, uint64_t stamp_ns);
bool core_momentary_press(struct bh_core *core, struct core_ctl *c, uint32_t b, uint64_t stamp_ns);
bool core_radio_press(struct bh_core *core, struct core_ctl *c, uint32_t b, uint64_t stamp_ns);
bool core_select_press(struct bh_core *core, struct core_ctl *c, uint32_t b, uint64_t stamp_ns);
bool core_do_press(struct bh_core *core, struct core_ctl *c, uint32_t b, uint64_t stamp_ns);
static inline bool
core_is_switch(const struct bh_cfg_binding *b)
{
	return b->kind >= BH_BIND_TOGGLE && b->kind <= BH_BIND_SELECT;
}
/* Is the light of such a binding on? */
bool core_switch_is_on(struct bh_core *core, uint32_t b);
/* The release of MOMENTARY. False: its parameter is not there now. */
bool core_momentary_release(struct bh_core *core, struct core_ctl *c, uint64_t stamp_ns);

/* ------------------------------------------------------------------ feedback.c */
void core_queue_ctl(struct bh_core *core, uint32_t ctl);
void core_render(struct bh_core *core, struct core_ctl *c);
/* Tell the surface, if it was not told the same before (or `force`). */
void core_show(struct bh_core *core, struct core_ctl *c, const struct core_shown *shown, bool force);
/* A level for a meter of a surface. */
void core_show_level(struct bh_core *core, const struct core_param *p, uint32_t b, const union bh_val *v, uint64_t stamp_ns);

/* ------------------------------------------------------------------ meter.c */
void core_meter(struct bh_core *core, struct core_param *p, const union bh_val *v, uint64_t stamp_ns);
/* Who looks at this parameter may be others now: if it is a METER, its driver is told with what else is to be told. */
void core_queue_watch(struct bh_core *core, uint32_t param);
/* The same, and what stands in its cell is not what was told. */
void core_watch_again(struct bh_core *core, struct core_param *p);
/* Tell its driver, if it was told otherwise. */
void core_tell_watch(struct bh_core *core, struct core_param *p);
/* A tool looks at it until then. */
void core_watch_lease(struct bh_core *core, struct core_param *p, uint64_t until_ns);
void core_watch_timer(struct bh_core *core, struct core_param *p);

/* ------------------------------------------------------------------ show.c */
/* What a control that is no fader shows by its bindings; nothing bound: the type NONE. When it changes by itself: c->look_ns. */
void core_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out);
/* A hand is at this control, or has just left it: its strip shows the value for a while. */
void core_overlay(struct bh_core *core, struct core_ctl *c);
/* It is bound to something else now: what a hand has left is forgotten. */
void core_overlay_ends(struct bh_core *core, struct core_ctl *c);
/* The strip shows what this control is changed to. */
bool core_overlay_shows(struct bh_core *core, const struct core_ctl *strip, const struct core_ctl *c);
/* Which strip is above which control. */
void core_plan_strips(struct bh_core *core);

/* ------------------------------------------------------------------ room.c: the router's own parameters */
static inline const struct bh_cfg_room *
core_room_row(const struct bh_core *core, uint32_t row)
{
	return bh_config_row(core->config, BH_TAB_ROOM, row);
}
/* The parameter of row n of BH_TAB_ROOM; NULL = there is none (a RUN). */
struct core_param *core_room_param(struct bh_core *core, uint32_t row);
/* Record of row n, or NONE. */
uint32_t core_room_rec(const struct bh_core *core, uint32_t row);
/* Somebody wants a value of one: it is so at once, with all that follows from it. False: no such value, or not to be set. */
bool core_room_want(struct bh_core *core, struct core_param *p, const union bh_val *v, uint32_t origin);
/* What it is, without any effect: for who has carried it out himself. */
void core_room_put(struct bh_core *core, struct core_param *p, const union bh_val *v, uint32_t origin);
/* A reaction's memory. */
void core_room_set(struct bh_core *core, uint32_t row, bool on);
/* What shows this parameter of the room is to be rendered. */
void core_queue_room(struct bh_core *core, uint32_t row);
/* May the store bring it back at a cold start? */
bool core_room_restores(const struct bh_core *core, const struct core_param *p);
/* While planning: bytes for the names of choices; parameters; their records, of which `was` are the `count` there were. */
uint32_t core_room_strings(const struct bh_core *core);
void core_room_plan(struct bh_core *core);
void core_room_records(struct bh_core *core, const uint8_t (*was)[BH_RECORD_BYTES], uint32_t count);
/* Rows that moved are written down, as far as there is room. True: all are. */
bool core_room_adopt(struct bh_core *core);

/* ------------------------------------------------------------------ bank.c */
/* The item on a bank binding's place, or NULL: none. */
const char *core_bank_item(struct bh_core *core, const struct bh_cfg_binding *b);
/* `text` with the item's name for {}, in `buf` if it has one; "" on a blank place. */
const char *core_bank_text(struct bh_core *core, const struct bh_cfg_binding *b, const char *text, char *buf, size_t cap);
/* Bank n (row of BH_TAB_BANKS) shall show items from another one on. */
void core_bank_moved(struct bh_core *core, uint32_t n);
/* BH_BANK_...: 0, -ENOENT. */
int core_bank_action(struct bh_core *core, uint16_t action, const char *name);
/* A parameter appeared (`was`: under this name before, or ""), or is gone. */
void core_bank_offer(struct bh_core *core, const struct core_param *p, const char *was);
void core_bank_gone(struct bh_core *core, const struct core_param *p);
/* An entry's place: another item than its targets are named after? None at all? Its targets are named after it now. */
bool core_bank_is_stale(const struct bh_core *core, const struct core_entry *e);
bool core_bank_is_blank(const struct bh_core *core, const struct core_entry *e);
void core_bank_stamp(const struct bh_core *core, struct core_entry *e);
/* Name a binding's own targets after the item on its place; forget the names; are they so already? */
void core_bank_show(struct bh_core *core, uint32_t b);
void core_bank_hide(struct bh_core *core, uint32_t b);
bool core_bank_is_same(struct bh_core *core, uint32_t b);
/* A successor: what is held drives the parameter with this hash, whenever it is told of. */
void core_bank_hold(struct bh_core *core, uint32_t b, uint32_t hash);
bool core_bank_takes(struct bh_core *core, uint32_t t, const struct core_param *p);
/* Has this binding a target of its own? */
bool core_bank_owns(const struct bh_core *core, const struct bh_cfg_binding *row, bool of_condition);
int core_bank_plan(struct bh_core *core);
void core_bank_start(struct bh_core *core);
void core_bank_unplan(struct bh_core *core);

/* ------------------------------------------------------------------ page.c */
/* The item behind its entry is another one. */
void core_ctl_again(struct bh_core *core, struct core_ctl *c);
int core_plan(struct bh_core *core, const struct bh_config *config, char *why, size_t cap);
void core_unplan(struct bh_core *core);
/* Show page n on the surfaces of a group. */
void core_turn_page(struct bh_core *core, uint32_t group, uint32_t page);
/* Carry out enum bh_page_action; `arg` = its argument or "". `c`: whose surface; NULL = the main group. 0, -ENOENT. */
int core_page_action(struct bh_core *core, const struct core_ctl *c, uint16_t action, const char *arg);
int core_page_verb(struct bh_core *core, uint32_t group, uint16_t action, const char *arg);
bool core_is_page_shown(const struct bh_core *core, uint32_t page);
/* The page that this control's surface shows, and its name. */
uint32_t core_ctl_page(const struct bh_core *core, const struct core_ctl *c);
const char *core_page_name(const struct bh_core *core, uint32_t page);
/* As a TEXT, cut between two characters. */
void core_cut_text(char out[BH_TEXT_MAX + 1], const char *s);
/* A layer is on or off: what it has, on the pages shown. */
void core_layer_changed(struct bh_core *core, uint32_t row);
void core_find_layers(struct bh_core *core);
/* A hand let go: what the control shows by now is what the next hand drives. */
void core_ctl_let_go(struct bh_core *core, struct core_ctl *c);
/* While planning: the target of this name, a new one if need be. */
uint32_t core_plan_target(struct bh_core *core, uint16_t driver, const char *name);
int core_find_page(const struct bh_core *core, const char *name);
struct core_param *core_binding_param(struct bh_core *core, uint32_t b);
struct core_param *core_when_param(struct bh_core *core, uint32_t b);
/* The binding behind a link; `*of_condition`: it is its condition that looks there. */
static inline uint32_t
core_link_binding(uint32_t link, bool *of_condition)
{
	*of_condition = link & 1;
	return link / 2;
}
/* The main binding of a control on the page shown, or NONE. */
static inline uint32_t
core_main(const struct core_ctl *c)
{
	return c->part[BH_PART_MAIN];
}

/* ------------------------------------------------------------------ value.c: what is written in the configuration, against a parameter */
/* The number of a choice by its name, or -1. */
int64_t core_choice(const struct bh_core *core, const struct core_param *p, const char *name);
/* An operand as a value of the parameter's type: a choice by name or number, a number, a text. False: it has none such. */
bool core_operand(const struct bh_core *core, const struct core_param *p, const struct bh_cfg_operand *o, union bh_val *out);
/* A text, or a choice by its name, that was put together just now. False: it has none such. */
bool core_operand_text(const struct bh_core *core, const struct core_param *p, const char *text, union bh_val *out);
/* Does a condition hold? `p`: the parameter it looks at, NULL = missing. What is not known holds no condition, not even "not". */
bool core_holds(struct bh_core *core, const struct bh_cfg_cond *cond, const struct core_param *p);
/* The parameter of a condition or step, by name; NULL = missing. Costs a look into a hash table. */
struct core_param *core_named_param(struct bh_core *core, uint16_t driver, uint32_t name_off);

/* The other end of a range, from what is newest: a switch turned over, the next choice and round. False: no such thing. */
bool core_turned_over(struct bh_core *core, const struct core_param *p, const struct bh_taper_range *r, union bh_val *v);
/* The newest value and so much, within the range. False: not known, or no number. */
bool core_added(struct bh_core *core, const struct core_param *p, double by, union bh_val *v);

/* ------------------------------------------------------------------ steps.c */
/* An action as a binding or a step has it. */
struct core_doing {
	uint16_t driver, action;
	uint32_t args, args_len;
	bool vars; /* $names in the arguments */
	const char *item; /* what {} in them means, or NULL */
	uint32_t origin;
	uint64_t stamp_ns;
};
/* Do it: a driver's action, or one of the pages. `c` may be NULL. 0 or -errno. */
int core_do(struct bh_core *core, const struct core_ctl *c, const struct core_doing *d);
/* `len` bytes of text with $names and {} filled in; returns the bytes in `out`, 0 = too many. */
size_t core_expand(struct bh_core *core, const char *args, size_t len, const char *item, char *out, size_t cap);
/* The steps of a binding: when its button was pressed (or its gesture done), when it was let go. */
void core_steps_press(struct bh_core *core, const struct core_ctl *c, const struct bh_cfg_binding *b, uint64_t stamp_ns);
void core_steps_release(struct bh_core *core, const struct core_ctl *c, const struct bh_cfg_binding *b, uint64_t stamp_ns);
void core_run_timer(struct bh_core *core, uint32_t rec);
/* The newest value of a parameter is another, or was looked at for the first time: see who reacts. */
void core_param_changed(struct bh_core *core, const struct core_param *p);
/* A reaction to a parameter of the room, which nobody reports: what it is at the start is what it saw first. */
void core_reaction_look(struct bh_core *core, uint32_t n);
/* Of a new configuration: reactions; then the runs' timers; then, in a transaction, what became of the runs. */
void core_steps_plan(struct bh_core *core);
void core_steps_arm(struct bh_core *core);
void core_steps_adopt(struct bh_core *core);

/* ------------------------------------------------------------------ text.c */
struct core_fit {
	unsigned width; /* characters */
	bool dots;	/* a row of digits: a dot takes no place */
	bool stale;	/* marked with a '?' */
	bool whole;	/* names as they are, whatever their length */
};
/* Characters of a text. */
unsigned core_text_length(const char *text, bool dots);
/*
 * A text of at most `width` characters: as it is, or abbreviated so that what distinguishes stays: a beginning of each word, the
 * consonants rather than the vowels, and all figures, the last ones above all.
 */
void core_fit_text(const char *text, unsigned width, bool dots, char *out, size_t cap);
/* A text that is too long for its window wanders through it and back. Returns after how many ns it goes on, 0 = never. */
uint64_t core_wander(const char *text, unsigned width, uint64_t age_ns, char *out, size_t cap);
/* A text that marches through a row of digits, round and round: its `step`-th picture. */
void core_march(const char *text, unsigned width, uint64_t step, char *out, size_t cap);
/* A value with its unit, if there is room for it; a choice by name. */
void core_text(struct bh_core *core, const struct core_param *p, const union bh_val *v, const struct core_fit *fit, char *out,
	       size_t cap);
/* The same while it is changed: a bare number as a part of its range. */
void core_change_text(struct bh_core *core, const struct core_param *p, const union bh_val *v, const struct core_fit *fit,
		      char *out, size_t cap);
/* hh:mm:ss:ff */
void core_timecode(double seconds, unsigned rate_hz, char *out, size_t cap);
/* "down", "down 2m": seven characters of who is not there, and since when. Returns up to which age it says that. */
uint64_t core_down_text(uint32_t health, uint64_t age_ns, char *out, size_t cap);

/* ------------------------------------------------------------------ kinds.c, request.c */
/* Who sets a parameter by hand. */
static inline uint32_t
core_origin(const struct core_ctl *c)
{
	return (uint32_t)c->slot << 16 | c->index;
}
/* A number as a value of a parameter that is no TEXT. */
union bh_val core_number(const struct core_param *p, double x);
static inline bool
core_is_number(const struct core_param *p)
{
	return p && p->type != BH_TEXT && p->type != BH_NONE;
}
/* May this happen no more, because it is that old? Then its button says so. */
bool core_too_old(struct bh_core *core, struct core_ctl *c, const struct bh_cfg_binding *b, uint64_t stamp_ns);
/* The nearest whole number that every process agrees on, whatever a driver or a file says. */
int64_t core_whole(double x);
struct bh_taper_range core_binding_range(const struct core_param *p, const struct bh_cfg_binding *b);
/* The value of a position on a binding's scale, and the other way round; 0..1, its ends exactly. */
union bh_val core_binding_value(const struct core_param *p, const struct bh_cfg_binding *b, double pos);
double core_binding_pos(const struct core_param *p, const struct bh_cfg_binding *b, const union bh_val *v);
void core_request(struct bh_core *core, uint16_t from, const struct bh_event *ev, const void *payload, size_t len);
