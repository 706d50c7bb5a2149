/*
 * compiled.h - the configuration as the processes see it: tables in write-once memory
 *
 * bh-config reads the YAML and writes two kinds of sealed memfd: one for the whole pipeline (who runs, surfaces and their
 * controls, pages, bindings), and one for each process with its own options, so that no process sees another's password.
 * Both have the same frame: a header, tables of fixed rows, one string area. Offsets of strings are from the start of
 * the string area; 0 is the empty string. Each row that a person wrote carries file:line:column.
 *
 * Readers map it read-only, check the seal (F_SEAL_WRITE), the header, the check sum and every offset, prepare aside, and swap.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "shm/layout.h"

#define BH_CFG_MAGIC 0x31474643444b4c42ull /* "BLKDCFG1" */
#define BH_CFG_VERSION 2u

enum bh_cfg_table {
	BH_TAB_PROCS,	 /* struct bh_cfg_proc */
	BH_TAB_SURFACES, /* struct bh_cfg_surface */
	BH_TAB_CONTROLS, /* struct bh_cfg_control */
	BH_TAB_PAGES,	 /* struct bh_cfg_page */
	BH_TAB_BINDINGS, /* struct bh_cfg_binding: sorted by page, then surface, then control; global ones last */
	BH_TAB_ACTIONS,	 /* struct bh_cfg_action: what each driver kind can do */
	BH_TAB_OPTIONS,	 /* struct bh_cfg_option (options memfd) */
	BH_TAB_STEPS,	 /* struct bh_cfg_step: of macros, `also` and reactions; those of one list stand together */
	BH_TAB_REACTIONS,/* struct bh_cfg_reaction */
	BH_TAB_BANKS,	 /* struct bh_cfg_bank */
	BH_TAB_ROOM,	 /* struct bh_cfg_room: the router's own parameters, "room/..." */
	BH_TAB_COUNT = 12
};

struct bh_cfg_head {
	uint64_t magic;
	uint32_t version;
	uint32_t check; /* CRC-32C of everything after this header, then of the header with check = 0 */
	uint64_t size;
	uint64_t generation; /* set by bh-config from the time; larger = newer */
	uint32_t file_off;   /* path of the YAML, in the string area */
	uint32_t strings_off, strings_len;
	uint32_t pad;
	struct bh_cfg_range {
		uint32_t off, count, stride, pad;
	} table[BH_TAB_COUNT];
	uint64_t fill[2];
};
static_assert(sizeof(struct bh_cfg_head) == 256, "ABI");

struct bh_cfg_place {
	uint32_t line, column; /* from 1; 0 = not written by a person */
};

struct bh_cfg_proc {
	uint32_t name, kind;  /* "obs", "obs": the binary is bh-<kind> */
	uint32_t binary;      /* absolute path */
	uint16_t slot;
	uint8_t role;	      /* enum bh_role */
	uint8_t autostart;
	uint32_t ring_slots;  /* of its rings with the router */
	uint32_t params;      /* capacity of its directory (drivers) */
	uint32_t hang_ms;     /* owed work without progress for this long is a hang */
	uint32_t max_age_ms;  /* of actions */
	uint32_t ready_ms;    /* must be ready within */
	uint32_t options_check; /* CRC of its options: unchanged options need no restart */
	uint32_t live_check;  /* CRC of those options alone that need a restart */
	struct bh_cfg_place place;
	uint32_t record_base; /* of its controls or parameters in the router's state: record = base + index */
	uint32_t records;     /* how many; kept over a reload for a process of the same name */
	uint32_t pad;
};
static_assert(sizeof(struct bh_cfg_proc) == 64, "ABI");

struct bh_cfg_surface {
	uint16_t slot;
	uint16_t controls;
	uint32_t first_control;
	uint32_t device; /* name of the device file */
	uint32_t strips;
	uint32_t page_room; /* row of BH_TAB_ROOM (0 = "page", the main one): surfaces with the same one turn together */
	uint32_t pad[3];
};
static_assert(sizeof(struct bh_cfg_surface) == 32, "ABI");

enum bh_control_kind {
	BH_CTL_FADER = 1, BH_CTL_VPOT, BH_CTL_BUTTON, BH_CTL_JOG, BH_CTL_STRIP, BH_CTL_METER, BH_CTL_DIGITS, BH_CTL_PEDAL, BH_CTL_LED,
	BH_CTL_KIND_COUNT
};

#define BH_CTL_HAS_TOUCH 1u
#define BH_CTL_HAS_MOTOR 2u
#define BH_CTL_HAS_LED	 4u
#define BH_CTL_HAS_COLOR 8u
#define BH_CTL_HAS_RING	 16u

struct bh_cfg_control {
	char name[24];	/* "fader1" */
	uint8_t kind;	/* enum bh_control_kind */
	uint8_t strip;	/* 0-7, 0xff = none */
	uint16_t flags; /* BH_CTL_HAS_... */
	uint8_t addr;	/* note, CC, pitch-bend channel or meter number, by kind, as in the device file */
	uint8_t touch;	/* note of the touch sensor, 0xff = none */
	uint8_t width;	/* STRIP: characters a line; DIGITS: digits */
	uint8_t led;	/* colour of the LED: enum by name in the device file, for drawing */
};
static_assert(sizeof(struct bh_cfg_control) == 32, "ABI");

struct bh_cfg_page {
	uint32_t name;
	uint32_t first, count; /* bindings */
	struct bh_cfg_place place;
	uint32_t color;
	uint32_t inherit; /* number of the page + 1 whose bindings hold where this one has none; 0 = none; no circles */
	uint32_t pad;
};
static_assert(sizeof(struct bh_cfg_page) == 32, "ABI");

/*
 * A value as it is written, before its parameter's type is known: a number (also of BOOL: on = 1, off = 0), or a text (a choice
 * of an ENUM by name, a TEXT). See core_operand() in procs/router.
 */
struct bh_cfg_operand {
	double num;
	uint32_t text;	/* as written */
	uint8_t type;	/* BH_NONE, BH_FLOAT: `num` holds, BH_TEXT: only `text` does */
	uint8_t pad[3];
};
static_assert(sizeof(struct bh_cfg_operand) == 16, "ABI");

/* "obs/studio", "not obs/studio", "obs/scene == Wide", "loop/ch1/level > -10". */
enum bh_cond_op {
	BH_COND_ALWAYS, /* no condition */
	BH_COND_ON,	/* truthy: on, not 0, above the minimum of a FLOAT, a text that is not empty */
	BH_COND_OFF, BH_COND_EQ, BH_COND_NE, BH_COND_GT, BH_COND_GE, BH_COND_LT, BH_COND_LE,
	BH_COND_CHANGES, /* reactions: any other value than before */
	BH_COND_COUNT
};
struct bh_cfg_cond {
	uint32_t target; /* parameter within its driver; may hold {} in a bank */
	uint16_t driver; /* slot, BH_SLOT_ROUTER for "room/..."; BH_SLOT_NONE with BH_COND_ALWAYS */
	uint8_t op;	 /* enum bh_cond_op */
	uint8_t pad;
	struct bh_cfg_operand with;
};
static_assert(sizeof(struct bh_cfg_cond) == 24, "ABI");

/*
 * Kinds of binding. The rows that describe them (key, help, which controls, which fields) are in common/config/bindings.c, the
 * rows that carry them out in procs/router/kinds.c, both indexed by this number.
 */
enum bh_binding_kind {
	BH_BIND_VALUE = 1, /* control follows a parameter and sets it: fader, pedal, button of a BOOL or ENUM, V-Pot (absolute ring) */
	BH_BIND_RELATIVE,  /* V-Pot or jog moves a parameter by steps */
	BH_BIND_ACTION,	   /* a press does something */
	BH_BIND_STRIP,	   /* scribble strip: text, shown parameter, colour */
	BH_BIND_METER,	   /* meter shows a parameter */
	BH_BIND_DISPLAY,   /* digits show text, the page's name, the time, or a parameter */
	BH_BIND_LIGHT,	   /* an LED shows a parameter: on, off, flash */
	BH_BIND_TOGGLE,	   /* a press flips a parameter between two values: `off` and `on` */
	BH_BIND_MOMENTARY, /* `on` while it is pressed, `off` afterwards */
	BH_BIND_RADIO,	   /* a press sets the parameter to `on`; lit while it is that */
	BH_BIND_SELECT,	   /* each press goes on to the next of `choices` */
	BH_BIND_DO,	   /* a press runs steps: a macro */
	BH_BIND_KIND_COUNT
};

/* Which part of a control a binding is. Each part of a control on a page has at most one, but LIGHT: the first whose condition holds. */
enum bh_part {
	BH_PART_MAIN,	/* what the hand does, and what is shown unless LIGHT says otherwise */
	BH_PART_LIGHT,	/* `light`: LED, ring or strip colour, by condition */
	BH_PART_HOLD,	/* `hold`: pressed for hold_ms; then MAIN is not done */
	BH_PART_DOUBLE, /* `double`: pressed twice within double_ms; then MAIN waits for so long */
	BH_PART_COUNT
};

enum bh_ring_mode { BH_RING_DOT, BH_RING_PAN, BH_RING_WRAP, BH_RING_SPREAD };
#define BH_PAGE_GLOBAL 0xffffu
#define BH_DRIVER_PAGE 0xfffeu /* driver slot of the router's own actions: page/next ... bank/next ..., by `action` */
/* Their `action`; `target` is the word after the slash. The argument of PAGE_GO is a page's name, of BANK_... a bank's: both exist. */
enum bh_page_action {
	BH_PAGE_NEXT, BH_PAGE_PREVIOUS, BH_PAGE_GO, BH_PAGE_BACK, /* page/back: the one shown before */
	BH_BANK_NEXT, BH_BANK_PREVIOUS, BH_BANK_CHANNEL_NEXT, BH_BANK_CHANNEL_PREVIOUS, BH_BANK_HOME,
	BH_PAGE_ACTION_COUNT
};

#define BH_BINDF_INVERT 1u
#define BH_BINDF_HAS_RANGE 2u
#define BH_BINDF_HAS_STEP 4u
#define BH_BINDF_SHOW_PAGE 8u	/* DISPLAY: the page's name */
#define BH_BINDF_FLASH 16u	/* LIGHT: flash instead of on */
#define BH_BINDF_HAS_RING 32u	/* `ring` was written; else the mode that fits the parameter */
#define BH_BINDF_ACCEL 64u	/* RELATIVE: faster turns go further */
#define BH_BINDF_PICKUP 128u	/* VALUE: the hand takes over where it meets the value */
#define BH_BINDF_VARS 256u	/* its arguments hold $names */
#define BH_BINDF_SHOW_TIME 512u /* DISPLAY: the time of day */
#define BH_BINDF_TIMECODE 1024u /* DISPLAY: a parameter of seconds as h:mm:ss:ff */
#define BH_BINDF_SCROLL 2048u	/* STRIP: a text that is too long wanders instead of being cut */
#define BH_BINDF_NO_OVERLAY 4096u /* STRIP: keep the lower line while a control of the strip is touched or turned */
#define BH_BINDF_NAME_LOWER 8192u /* STRIP: the parameter's name in the lower line, its value only while it is changed */
#define BH_BINDF_TEXT_LOWER 16384u /* STRIP: what stands behind the line break in `text` is the lower line; the value only as overlay */

/* DISPLAY: how its text moves. */
enum bh_effect { BH_FX_STATIC, BH_FX_BLINK, BH_FX_MARQUEE, BH_FX_SPINNER, BH_FX_PULSE, BH_FX_PROGRESS, BH_FX_COUNT };

struct bh_cfg_binding {
	uint16_t page;	  /* BH_PAGE_GLOBAL */
	uint16_t surface; /* slot */
	uint16_t control; /* index within the surface */
	uint8_t kind;	  /* enum bh_binding_kind */
	uint8_t part;	  /* enum bh_part */
	uint16_t layer;	  /* row of BH_TAB_ROOM + 1: holds while that layer is on; 0 = always */
	uint8_t ring;	  /* enum bh_ring_mode */
	uint8_t effect;	  /* enum bh_effect */
	uint32_t target;  /* "ch1/level": parameter within its driver, or action name; with {} in a bank */
	uint16_t driver;  /* slot (BH_SLOT_ROUTER: "room"); BH_DRIVER_PAGE; BH_SLOT_NONE = no target */
	uint16_t action;  /* index in the driver's actions, or enum bh_page_action */
	uint32_t args, args_len; /* arguments, each NUL-terminated, in the string area */
	uint32_t text;	  /* STRIP: label (upper line), LIGHT and others: unused */
	uint32_t label;	  /* a person's name for it, may be empty */
	uint32_t flags;	  /* BH_BINDF_... */
	uint8_t color;	  /* 0 = default, else 1-7 as in surfaces.md 1.10 */
	uint8_t taper;	  /* 0xff = the parameter's own */
	uint8_t light_on, light_off; /* LIGHT: enum bh_light while the condition holds, and else */
	double min, max, step;
	double curve;	  /* VALUE: position^curve; 0 and 1 = straight */
	double fine;	  /* VALUE of a V-Pot, RELATIVE: steps are multiplied by it while layer `fine` is on; 0 = 1/10 */
	struct bh_cfg_operand on, off; /* TOGGLE, MOMENTARY, RADIO */
	struct bh_cfg_cond when; /* LIGHT: its condition */
	uint32_t step_first; /* DO: its steps; others: `also`, after it was done */
	uint16_t steps;
	uint16_t ms;	  /* HOLD, DOUBLE: the time of the gesture; DISPLAY: pace of the effect; 0 = default */
	uint16_t bank, bank_pos; /* number of the bank + 1, 0 = none, and place in it from 0 */
	uint32_t choices, choices_len; /* SELECT: each NUL-terminated; none = all of the parameter's */
	struct bh_cfg_place place;
	uint32_t pad[5];
};
static_assert(sizeof(struct bh_cfg_binding) == 192, "ABI");

enum bh_step_kind { BH_STEP_ACTION = 1, BH_STEP_SET, BH_STEP_TOGGLE, BH_STEP_ADD, BH_STEP_KIND_COUNT };
#define BH_STEPF_VARS 1u
#define BH_STEPF_RELEASE 2u /* done when the button is let go, not when it is pressed */

/* One step of a macro, of `also` or of a reaction. */
struct bh_cfg_step {
	uint8_t kind; /* enum bh_step_kind */
	uint8_t flags; /* BH_STEPF_... */
	uint16_t driver, action; /* as in a binding */
	uint16_t pad0;
	uint32_t target;
	uint32_t args, args_len;
	uint32_t delay_ms; /* after the step before it */
	struct bh_cfg_operand to; /* SET: the value; ADD: the difference */
	struct bh_cfg_cond when; /* it is skipped if this does not hold by then */
	struct bh_cfg_place place;
	uint32_t pad[2];
};
static_assert(sizeof(struct bh_cfg_step) == 80, "ABI");

/* When a parameter becomes so: an edge, of the backend's report or of our own setting, never the state found at start. */
struct bh_cfg_reaction {
	struct bh_cfg_cond when;
	uint32_t room; /* row of BH_TAB_ROOM that remembers the edge */
	uint16_t page; /* only while this page is shown on a surface; BH_PAGE_GLOBAL = always */
	uint16_t steps;
	uint32_t step_first; /* when it becomes true */
	uint32_t else_first; /* when it becomes false */
	uint16_t else_steps;
	uint16_t pad[3];
	struct bh_cfg_place place;
};
static_assert(sizeof(struct bh_cfg_reaction) == 56, "ABI");

/*
 * A row of strips over a list of things that a driver offers (or that are listed). Bindings with this bank's number stand on its
 * places; {} in their texts and targets is the name of the item that is on the place now.
 */
#define BH_BANKF_BY_NAME 1u /* sorted by name; else in the order in which they were offered first */
struct bh_cfg_bank {
	uint32_t name;
	uint32_t room;	/* row of BH_TAB_ROOM: number of the item on the first place that is not pinned */
	uint16_t driver;
	uint16_t places;
	uint32_t before, after; /* "input/" and "/volume": a parameter of the driver so named offers what stands between; */
	uint32_t items, items_len; /* or the list of items, each NUL-terminated */
	uint32_t pins, pins_len; /* for each place the item pinned on it, NUL-terminated, empty = none */
	uint32_t flags; /* BH_BANKF_... */
	uint32_t max; /* items at most */
	struct bh_cfg_place place;
	uint32_t pad;
};
static_assert(sizeof(struct bh_cfg_bank) == 56, "ABI");

/*
 * A parameter of the router itself, shown and set like any other as "room/NAME": the page, layers, banks, variables. Its record in the
 * router's state is record_base of the router's row in BH_TAB_PROCS + its number; by its name it goes on over a reload.
 */
enum bh_room_kind {
	BH_ROOM_PAGE = 1, /* "page" (main group), "page/GROUP": ENUM of the pages */
	BH_ROOM_QUIET,	  /* "quiet": BOOL; motors stand still, nothing flashes, faders take over by pickup */
	BH_ROOM_LAYER,	  /* "layer/NAME": BOOL; "layer/fine" is there always */
	BH_ROOM_BANK,	  /* "bank/NAME": INT, first item shown */
	BH_ROOM_VAR,	  /* "var/NAME": ENUM with choices, else TEXT */
	BH_ROOM_EDGE,	  /* "edge/NAME": BOOL, read only; what a reaction saw last. Its flag KNOWN: it saw something */
	BH_ROOM_RUN,	  /* "run/N": not shown; a macro that is running */
	BH_ROOM_KIND_COUNT
};
struct bh_cfg_room {
	uint32_t name; /* "layer/shift" */
	uint8_t kind;  /* enum bh_room_kind */
	uint8_t type;  /* enum bh_type */
	uint16_t ref;  /* BANK: number of the bank; EDGE: of the reaction */
	uint32_t choices, choices_len; /* ENUM, each NUL-terminated */
	uint32_t count; /* ENUM: how many */
	uint32_t pad;
	struct bh_cfg_operand def; /* at the first start */
	struct bh_cfg_place place;
};
static_assert(sizeof(struct bh_cfg_room) == 48, "ABI");
#define BH_ROOM_NAME "room" /* what is before the slash; no process may be called so */
#define BH_ROOM_RUNS 16u    /* macros with delays at a time */

struct bh_cfg_action {
	uint32_t kind;	/* driver kind */
	uint32_t name;
	uint16_t index;
	uint16_t args;	/* number of required arguments */
	uint32_t help;
};
static_assert(sizeof(struct bh_cfg_action) == 16, "ABI");

struct bh_cfg_option {
	uint32_t key;  /* "port", "ports[0].name" */
	uint32_t text; /* as written, or the default's text; already checked. PATH: absolute */
	struct bh_cfg_place place;
};
static_assert(sizeof(struct bh_cfg_option) == 16, "ABI");

/* A mapped compiled configuration (either kind). Zeroed = none. */
struct bh_config {
	const struct bh_cfg_head *head; /* owned mapping */
	size_t size;
	const char *strings;
	uint32_t strings_len;
};

/* The same frame, holding one process's options. */
struct bh_options {
	struct bh_config c;
};

#define BH_CFG_SIZE_MAX (64u << 20) /* of a compiled configuration */
#define BH_CFG_RECORDS_MAX (64u + BH_MAX_SLOTS * BH_MAX_PARAMS) /* of the router's state */
#define BH_CFG_RING_MAX 65536u

/* The check sum that belongs into the header of an image of `size` bytes. */
uint32_t bh_config_checksum(const struct bh_cfg_head *head, size_t size);

/*
 * Look at an image in memory, 8-aligned (borrowed: not for unmap): header, check sum, every table, offset, number and reference
 * between rows. 0, or -EPROTO with *c zeroed. What passes can be walked without further checks of indexes.
 */
int bh_config_open(struct bh_config *c, const void *image, size_t size);
/* Map and check. 0; -EPERM not sealed; -EPROTO damaged, with no mapping left. */
int bh_config_map(struct bh_config *c, int fd);
void bh_config_unmap(struct bh_config *c);
/* Row n of a table (bounds checked at map), NULL beyond. */
const void *bh_config_row(const struct bh_config *c, enum bh_cfg_table table, uint32_t n);
uint32_t bh_config_count(const struct bh_config *c, enum bh_cfg_table table);
/* A string; "" for an offset that is out of range. */
const char *bh_config_str(const struct bh_config *c, uint32_t off);
/* The option `key`, or NULL. */
const struct bh_cfg_option *bh_config_option(const struct bh_config *c, const char *key);
/* Controls of a surface (by slot) and one by name; NULL / -ENOENT. */
const struct bh_cfg_surface *bh_config_surface(const struct bh_config *c, uint16_t slot);
const struct bh_cfg_control *bh_config_control(const struct bh_config *c, const struct bh_cfg_surface *s, uint32_t n);
int bh_config_find_control(const struct bh_config *c, const struct bh_cfg_surface *s, const char *name);
const struct bh_cfg_proc *bh_config_proc(const struct bh_config *c, uint16_t slot);
const struct bh_cfg_proc *bh_config_find_proc(const struct bh_config *c, const char *name);

/*
 * Writing (bh-config and tests only): rows and strings are collected in memory, then written to a memfd and sealed.
 */
struct bh_config_writer;
struct bh_config_writer *bh_config_writer_new(void);
void bh_config_writer_free(struct bh_config_writer *w);
/* Add a string (shared with an equal one) of `len` bytes without its NUL; returns its offset. */
uint32_t bh_config_writer_str(struct bh_config_writer *w, const char *s, size_t len);
/* Add a row of `size` bytes; returns its number. */
uint32_t bh_config_writer_row(struct bh_config_writer *w, enum bh_cfg_table table, const void *row, size_t size);
/* The finished image in memory (free() it), its size in *size; NULL with errno set. */
void *bh_config_writer_image(struct bh_config_writer *w, const char *file, uint64_t generation, size_t *size);
/* Write and seal. Returns the descriptor or -errno. */
int bh_config_writer_finish(struct bh_config_writer *w, const char *name, const char *file, uint64_t generation);
