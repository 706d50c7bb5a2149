/*
 * records.h - what stands in the records of the router's state segment
 *
 * Written by bh-router alone (each through the latch, with a check sum); read by bh-control, bh-store, the tool. Numbers of
 * records: 0 the whole, 1 + slot one for each process that the router talks to, up to 63; then struct bh_cfg_proc.record_base +
 * index for each control of a surface and each parameter of a driver. A record that was never written is one of which
 * nothing is known. The first byte says what a record is: a reader checks it, and that slot and index are the ones
 * it looked for, for record numbers move when the configuration does.
 *
 * All times are CLOCK_BOOTTIME in ns; 0 = never. All of it is state that a successor of the router goes on with.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "shm/layout.h"

#define BH_REC_GLOBAL 0u
#define BH_REC_PEER(slot) (1u + (slot)) /* slot < BH_MAX_SLOTS */
#define BH_REC_FIRST 64u	       /* first record of a surface or driver */
#define BH_REC_NONE 0xffffffffu

enum bh_rec_tag { BH_REC_TAG_GLOBAL = 1, BH_REC_TAG_PEER, BH_REC_TAG_CONTROL, BH_REC_TAG_PARAM, BH_REC_TAG_RUN };

/* A value of BOOL, INT, ENUM (i) or FLOAT (f). */
union bh_num {
	double f;
	int64_t i;
	uint64_t u;
};

#define BH_GLOBAL_RESTORED 1u /* the page came from a snapshot and nobody has turned one since */

struct bh_rec_global {
	uint8_t tag; /* BH_REC_TAG_GLOBAL */
	uint8_t pad0;
	uint16_t flags; /* BH_GLOBAL_... */
	uint32_t page;	/* number of the page shown, from 0 */
	uint32_t page_hash; /* bh_name_hash() of its name: what a new configuration finds it by */
	uint32_t pages;	    /* how many there are */
	uint64_t page_ns;   /* when it was turned last */
	uint64_t config_generation; /* of the configuration that the router works by */
	uint64_t turns;	    /* page switches so far */
	char page_name[64]; /* cut to fit */
	uint32_t back_hash; /* of the page shown before; 0 = none */
	uint8_t fill[4];
};
static_assert(sizeof(struct bh_rec_global) == BH_RECORD_BYTES, "ABI");

#define BH_PEER_UP 1u	    /* in service, as the supervisor said last */
#define BH_PEER_SURFACE 2u
#define BH_PEER_DRIVER 4u

struct bh_rec_peer {
	uint8_t tag; /* BH_REC_TAG_PEER */
	uint8_t health; /* enum bh_health, as the router heard it last */
	uint16_t flags; /* BH_PEER_... */
	uint16_t slot;
	uint16_t pad;
	uint32_t action_gen; /* number of the last action sent to it */
	uint32_t dropped;    /* actions that it or the router refused or let drop */
	uint64_t health_ns;  /* since when */
	uint64_t overflow;   /* overflow count of its ring to us up to which its cells were taken in */
	uint64_t last_drop_ns;
	uint32_t name_hash; /* bh_name_hash() of its name: the slot may be another's after a new configuration */
	uint32_t in_epoch;  /* of its ring to us: another one means that its generations count from 1 again */
	uint8_t fill[64];
};
static_assert(sizeof(struct bh_rec_peer) == BH_RECORD_BYTES, "ABI");

#define BH_CTRL_TOUCHED 1u  /* the hand is on it */
#define BH_CTRL_PRESSED 2u
#define BH_CTRL_TOLD 4u	    /* `told` is what the surface was told; else it was told nothing yet */
#define BH_CTRL_HELD 8u	    /* held while page, layer or bank moved: it goes on with what `grab` says until it is released */
#define BH_CTRL_DEAF 16u    /* held, but what it was bound to is gone: moves do nothing until it is released */
#define BH_CTRL_POSITION 32u /* `position` is known */
#define BH_CTRL_REFUSED 64u /* flashing until flash_ns, because an action was refused */
#define BH_CTRL_MOVED 128u   /* a hand moved it, and the motor was not set since */

struct bh_rec_control {
	uint8_t tag; /* BH_REC_TAG_CONTROL */
	uint8_t kind; /* enum bh_control_kind */
	uint16_t flags; /* BH_CTRL_... */
	uint16_t slot;	/* of the surface */
	uint16_t index;
	uint32_t seen_gen;   /* generation of the newest value taken from the surface */
	uint32_t seen_total; /* running total of ticks up to which they were taken */
	uint32_t told_gen;   /* counts what was told to the surface */
	uint32_t told_extra; /* ring mode, colour, overload */
	uint8_t told_type;   /* enum bh_type of what is shown; BH_NONE = nothing bound */
	uint8_t pad;
	uint16_t grab_page; /* BH_PAGE_GLOBAL: a global binding */
	uint32_t overlay_ctl; /* strips: record of the control whose value is shown for a while */
	uint64_t overlay_ns;  /* strips: until then; 0 = not */
	uint64_t effect_ns;   /* strips, digits: when the text that moves began */
	union {
		char text[64]; /* strips, digits: what is shown */
		struct { /* V-Pots, jog wheels: `told` and `flash_ns` are where they are in all */
			uint64_t told_;
			double speed;	     /* of turning, smoothed, in ticks a second; negative = to the left */
			uint64_t turned_ns;  /* last turn, by the hand's stamp */
			double rest;	     /* value turned already that fills no whole step of its parameter yet */
			uint32_t rest_hash;  /* bh_name_hash() of that parameter */
			uint32_t pad_;
			uint64_t spare_[3];
		};
		struct { /* buttons: `told` and `flash_ns`, as above. All times are the hand's stamps */
			uint64_t told_b;
			union bh_num let_go;   /* held down by MOMENTARY: what its parameter is set to at the release */
			uint32_t let_go_rec;   /* record of that parameter; 0 = none. Without BH_CTRL_PRESSED: still owed */
			uint32_t let_go_hash;  /* bh_name_hash() of its name */
			uint64_t pressed_ns;   /* last press */
			uint64_t hold_ns;      /* pressed still: the long press is due; 0 = none */
			uint64_t double_ns;    /* pressed once: without a second press by then it was a single one; 0 = none */
			uint64_t flash_ns_b;
			uint32_t row;	       /* binding + 1: what the gesture began with, once decided what was done; 0 = none */
			uint32_t row_hash;     /* tells that row from another of the same number */
		};
		struct {
			union bh_num told; /* FLOAT or INT: what is shown, or where the motor was sent */
			double position;   /* where the hand left it, 0..1 */
			uint64_t moved_ns; /* last movement by a hand */
			uint64_t told_ns;  /* the motor was sent at this moment */
			uint64_t hand_ns;  /* the hand owns it until then (and while touched) */
			uint64_t settle_ns; /* the motor is set at this moment; 0 = nothing to set */
			uint64_t flash_ns;
			uint32_t grab_layer; /* with grab_page: the entry that a held fader drives */
			uint32_t grab_name;  /* and the hash of its parameter's name */
		};
	};
};
static_assert(sizeof(struct bh_rec_control) == BH_RECORD_BYTES, "ABI");

#define BH_PAR_KNOWN 1u	   /* `reported` (or text) is there */
#define BH_PAR_WANTED 2u   /* `wanted` is there: somebody set it here */
#define BH_PAR_PENDING 4u  /* wanted, and not confirmed by the driver yet */
#define BH_PAR_STALE 8u	   /* the value is from a snapshot, and no driver has confirmed it */
#define BH_PAR_ADRIFT 16u  /* while pending, another value was reported: it counts once echo_ns has passed */
#define BH_PAR_TEXT_WANTED 32u /* TEXT: the one text kept is the wanted one */
#define BH_PAR_GONE 64u	   /* the parameter was removed from the directory */
#define BH_PAR_OVERTAKEN 256u /* while pending, wanted anew: echoes of older values may come after one that is equal */
#define BH_PAR_WATCHED 512u /* METER: its driver was told that somebody looks; `wanted` is 1, not a level */
#define BH_PAR_REFUSED 128u /* the driver gave the wanted value back as quarantined or failed */

struct bh_rec_param {
	uint8_t tag; /* BH_REC_TAG_PARAM */
	uint8_t type; /* enum bh_type */
	uint16_t flags; /* BH_PAR_... */
	uint16_t slot;	/* of the driver */
	uint16_t extra; /* spare */
	uint32_t index; /* in the driver's directory */
	uint32_t dir_gen; /* generation of the index */
	uint32_t name_hash; /* bh_name_hash() of its name within the driver */
	uint32_t seen_gen; /* generation of the newest report taken from the driver */
	uint32_t wanted_gen; /* counts the wanted values told to the driver */
	uint32_t origin; /* who wanted it last: slot << 16 | control; slot BH_SLOT_CONTROL = a request, STORE = a snapshot */
	uint64_t reported_ns, wanted_ns;
	union {
		struct {
			union bh_num reported, wanted;
			uint64_t echo_ns; /* pending: until then another reported value may be an older echo. METER: a tool looks until then */
			uint64_t choice; /* the router's own ENUMs: hash of the choice's name, what a new configuration finds it by */
			uint64_t spare[4];
		};
		char text[BH_TEXT_MAX + 1]; /* of both the newest (BH_PAR_TEXT_WANTED) */
	};
};
static_assert(sizeof(struct bh_rec_param) == BH_RECORD_BYTES, "ABI");

#define BH_RUN_RELEASE 1u /* the steps for when the button is let go */
#define BH_RUN_WAITED 2u  /* due_ns has the wait of step `at` in it */

/* A macro that is not over yet. */
struct bh_rec_run {
	uint8_t tag; /* BH_REC_TAG_RUN */
	uint8_t pad;
	uint16_t flags; /* BH_RUN_... */
	uint32_t first, count; /* rows of BH_TAB_STEPS; count 0 = none is running */
	uint32_t at;	/* next step, from `first` */
	uint32_t hash;	/* of the list, to find it in another configuration */
	uint32_t origin; /* slot << 16 | control; slot BH_SLOT_ROUTER: a reaction */
	uint64_t due_ns; /* when step `at` is to be done */
	char item[72];	/* bank item that it was started for, cut to fit; empty = none */
	uint8_t fill[8];
};
static_assert(sizeof(struct bh_rec_run) == BH_RECORD_BYTES, "ABI");

/* FNV-1a of a NUL-terminated name; 0 is never the hash of a name. */
static inline uint32_t
bh_name_hash(const char *name)
{
	uint32_t h = 2166136261u;
	while (*name)
		h = (h ^ (uint8_t)*name++) * 16777619u;
	return h ? h : 1;
}

/*
 * The value to show: what somebody here wants until the driver confirms it or insists on another, else what was reported. Returns its
 * type, BH_NONE = nothing is known. `stale` (may be NULL): nobody has confirmed it since a cold start.
 */
static inline enum bh_type
bh_param_newest(const struct bh_rec_param *p, union bh_val *out, bool *stale)
{
	memset(out, 0, sizeof(*out));
	if (stale)
		*stale = p->flags & BH_PAR_STALE;
	if (!(p->flags & (BH_PAR_KNOWN | BH_PAR_WANTED)))
		return BH_NONE;
	if (p->type == BH_TEXT) {
		memcpy(out->s, p->text, sizeof(p->text));
		out->s[BH_TEXT_MAX] = '\0';
	} else if (p->flags & BH_PAR_PENDING || !(p->flags & BH_PAR_KNOWN)) {
		out->u[0] = p->wanted.u;
	} else {
		out->u[0] = p->reported.u;
	}
	return (enum bh_type)p->type;
}
