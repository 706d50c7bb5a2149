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
#define BH_CFG_VERSION 1u

enum bh_cfg_table {
	BH_TAB_PROCS,	 /* struct bh_cfg_proc */
	BH_TAB_SURFACES, /* struct bh_cfg_surface */
	BH_TAB_CONTROLS, /* struct bh_cfg_control */
	BH_TAB_PAGES,	 /* struct bh_cfg_page */
	BH_TAB_BINDINGS, /* struct bh_cfg_binding: sorted by page, then surface, then control; global ones last */
	BH_TAB_ACTIONS,	 /* struct bh_cfg_action: what each driver kind can do */
	BH_TAB_OPTIONS,	 /* struct bh_cfg_option (options memfd) */
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
	uint32_t pad[4];
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
	uint32_t color, pad[2];
};
static_assert(sizeof(struct bh_cfg_page) == 32, "ABI");

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
	BH_BIND_DISPLAY,   /* digits show text, the page's name, or a parameter */
	BH_BIND_LIGHT,	   /* an LED shows a parameter: on, off, flash */
	BH_BIND_KIND_COUNT
};

enum bh_ring_mode { BH_RING_DOT, BH_RING_PAN, BH_RING_WRAP, BH_RING_SPREAD };
#define BH_PAGE_GLOBAL 0xffffu
#define BH_DRIVER_PAGE 0xfffeu /* driver slot of the router's own actions: page/next, page/previous, page/go NAME */
/* Their `action`; `target` is "next", "previous", "go", the one argument of go is a page's name, which exists. */
enum bh_page_action { BH_PAGE_NEXT, BH_PAGE_PREVIOUS, BH_PAGE_GO };

#define BH_BINDF_INVERT 1u
#define BH_BINDF_HAS_RANGE 2u
#define BH_BINDF_HAS_STEP 4u
#define BH_BINDF_SHOW_PAGE 8u	/* DISPLAY: the page's name */
#define BH_BINDF_FLASH 16u	/* LIGHT: flash instead of on */

struct bh_cfg_binding {
	uint16_t page;	  /* BH_PAGE_GLOBAL */
	uint16_t surface; /* slot */
	uint16_t control; /* index within the surface */
	uint8_t kind;	  /* enum bh_binding_kind */
	uint8_t ring;	  /* enum bh_ring_mode */
	uint32_t target;  /* "ch1/level": parameter within its driver, or action name */
	uint16_t driver;  /* slot; BH_DRIVER_PAGE; BH_SLOT_NONE = no target */
	uint16_t action;  /* index in the driver's actions */
	uint32_t args, args_len; /* arguments, each NUL-terminated, in the string area */
	uint32_t text;	  /* STRIP: label (upper line), LIGHT and others: unused */
	uint32_t label;	  /* a person's name for it, may be empty */
	uint16_t flags;	  /* BH_BINDF_... */
	uint8_t color;	  /* 0 = default, else 1-7 as in surfaces.md 1.10 */
	uint8_t taper;	  /* 0xff = the parameter's own */
	uint32_t fill;
	double min, max, step;
	struct bh_cfg_place place;
	uint32_t pad[2];
};
static_assert(sizeof(struct bh_cfg_binding) == 80, "ABI");

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
