/*
 * request.h - what bh-control asks of router and supervisor, as the payload of BH_EV_REQUEST
 *
 * bh-control checks a msgpack request, resolves names to slots and numbers, and sends this struct in the continuation of one
 * event (event.id = enum bh_request, event.total = request number). The answer is BH_EV_RESULT: event.total = the number,
 * event.v.i = 0 or -errno, payload = text for people (may be empty; a longer text comes in several events, event.id = how many
 * more follow).
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#include "shm/layout.h"

enum bh_request {
	/* to the router */
	BH_REQ_SET = 1, /* slot, index: parameter; type, v */
	BH_REQ_DO,	/* slot, index: action (slot BH_DRIVER_PAGE: enum bh_page_action); v.s = first argument, text = arguments, each NUL-terminated */
	BH_REQ_PRESS,	/* slot, index: button control; v.i = 1 press, 0 release, 2 both */
	BH_REQ_MOVE,	/* slot, index: fader control; v.f = 0..1, as by a hand */
	BH_REQ_TURN,	/* slot, index: V-Pot or jog; v.i = ticks */
	BH_REQ_PAGE,	/* v.i = page number from 0, or -1 next, -2 previous, -3 back; slot: a surface whose group is meant, else the main one */
	BH_REQ_RESTORE, /* from bh-store at a cold start: text = full parameter name ("loop/ch1/level") or "page:NAME", with type, v:
			 * a value of the last snapshot, stale until confirmed. -ENOENT: not known (yet); -EALREADY: newer known */
	BH_REQ_WATCH,	/* slot, index and, in text, as many more as fit (uint32_t each): meters that somebody looks at; v.i = for how many
			 * seconds from now, at most BH_WATCH_MOST_S. It ends by itself */
	/* to the supervisor */
	BH_REQ_START = 64, /* slot */
	BH_REQ_STOP,
	BH_REQ_RESTART,
	BH_REQ_HOLD,
	BH_REQ_RELEASE,
	BH_REQ_KILL,	/* slot; v.i = signal number */
	BH_REQ_RELOAD,	/* text = path, or empty for the same file */
	BH_REQ_QUIT,	/* stop the whole pipeline */
	BH_REQ_PROFILE, /* text = name of a profile to go over to, or empty: which there are, a line each, "* " before that in use */
	/* to a surface or driver, passed on by the supervisor, which passes the answer back */
	BH_REQ_EMIT = 96, /* slot of a surface; text, text_len: bytes for the device */
	BH_REQ_SYNC,	/* slot: a surface sends everything to the device, a driver reports everything */
	BH_REQ_CALIBRATE, /* slot of a surface; v.i = enum bh_calibrate_step */
};

enum bh_calibrate_step {
	BH_CALIBRATE_BEGIN,  /* measure; hands move nothing else meanwhile */
	BH_CALIBRATE_STATE,  /* what was measured so far; it ends by itself when nobody asks for a while */
	BH_CALIBRATE_FINISH, /* use and keep it */
	BH_CALIBRATE_CANCEL,
	BH_CALIBRATE_SHOW,   /* what is in use */
	BH_CALIBRATE_RESET,  /* as the device file says */
	BH_CALIBRATE_STEPS
};

#define BH_WATCH_MOST_S 60
#define BH_RESULT_LIST 1 /* v.i of a result whose text is a list */

struct bh_request_args {
	uint16_t slot;
	uint16_t pad;
	uint32_t index;
	uint8_t type; /* enum bh_type */
	uint8_t fill[7];
	union bh_val v;
	uint32_t text_len;
	char text[256];
	uint8_t tail[4];
};
static_assert(sizeof(struct bh_request_args) == 344 && sizeof(struct bh_request_args) <= BH_PAYLOAD_MAX, "ABI");
