/*
 * model - an X-Touch in Mackie Control mode, seen from inside
 *
 * In:    the host's bytes, and what hands do
 * Out:   bytes for the host; what motors, lights and displays show; what the host did wrong
 * Fails: bytes that mean nothing are counted. A hand that asks for something the desk does not have
 *        gets -EINVAL.
 *
 * A fader has three movers: the hand, the motor, and nobody. A hand is stronger than the motor: while it holds the cap the
 * motor only strains (`fights`). When it leaves, the motor takes the cap to the value that the host wrote last, after
 * return_ns: a host that does not confirm where the hand put it sees it run back, as on the device.
 *
 * Pure: no I/O; time is an argument and never goes back. No allocation after desk_init().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/midi/mcu.h"
#include "common/midi/parse.h"

enum {
	DESK_STEP = 4,         /* the device has 12 of the 14 bits */
	DESK_TOP = 16380,      /* so this is the highest position */
	DESK_BUTTONS = 128,    /* by note */
	DESK_LOG = 4096,       /* host's fader values that are remembered; a power of two */
	DESK_PATH = 4096 / 64, /* one bit for each step */
	DESK_TURN_MAX = 15,    /* ticks in one message of the device's */
};

enum desk_kind {
	DESK_LED,
	DESK_FADER,
	DESK_RING,
	DESK_DIGIT,
	DESK_METER,
	DESK_LCD,
	DESK_COLOUR,
	DESK_SYSEX,
	DESK_UNKNOWN,
	DESK_KINDS,
};

enum desk_count {
	DESK_C_BYTES,     /* from the host */
	DESK_C_MESSAGES,
	DESK_C_REDUNDANT, /* messages that changed nothing */
	DESK_C_TOUCHED,   /* fader values written while the fader was touched */
	DESK_C_FIGHTS,    /* of these, elsewhere than where the hand was */
	DESK_C_LATE,      /* of these, where the last hand had left it: on its way when the finger came back */
	DESK_C_STALE,     /* fader values that the hand had already left behind */
	DESK_C_JUMPS,     /* fader values further than jump away from where the cap was */
	DESK_C_RAN_BACK,  /* caps that ran back because nobody confirmed them */
	DESK_C_ODD,       /* bytes and messages that were no MIDI */
	DESK_C_SENT_BYTES,
	DESK_C_SENT_MESSAGES,
	DESK_C_LOST_MESSAGES, /* of ours, with nobody there to hear them */
	DESK_C_KIND,          /* for each kind: bytes, messages, redundant */
	DESK_COUNTS = DESK_C_KIND + 3 * DESK_KINDS,
};

struct desk_opts {
	uint8_t device_id;
	uint64_t throw_ns;    /* the motor's time from bottom to top; 0 = at once */
	uint64_t return_ns;   /* from letting go to running back */
	uint64_t tick_ns;     /* between position reports while something moves */
	uint16_t jump;        /* see DESK_C_JUMPS */
	bool reports_motor;   /* also reports what the motor does */
	bool answers;         /* to queries */
};

/* A cap being moved by hand along a line. */
struct desk_hand {
	bool on, lets_go; /* lets_go: and releases the touch in the end */
	uint16_t from, to;
	uint64_t start_ns, end_ns, next_ns;
};

struct desk_fader {
	double pos; /* of the cap, 0-16380, at at_ns */
	uint16_t low, high; /* the ends of its travel: 0 and 16380 */
	uint64_t at_ns;
	uint16_t target; /* what the host wrote last, in steps */
	bool has_target;
	bool driving;
	bool touched;          /* the host was told */
	uint64_t run_back_ns;  /* when the motor returns the cap; 0 = it need not */
	uint64_t report_ns;    /* next report of a moving motor; 0 = none */
	uint16_t reported;     /* what we told the host last */
	bool has_reported;
	uint16_t left;         /* where the last hand let go of it */
	bool has_left;
	bool is_left;          /* path has what the last hand went through */
	uint64_t path[DESK_PATH];
	struct desk_hand hand;
	uint64_t fights, writes, touches;
};

/* What the host wrote to a fader. */
struct desk_target {
	uint64_t at_ns;
	uint16_t target, pos;
	uint8_t fader;
	bool touched, stale;
};

struct desk_ring {
	enum bh_mcu_ring mode;
	uint8_t pos;
	bool extra;
};

struct desk_meter {
	uint8_t level;
	bool over;
	uint64_t at_ns;
};

struct desk_ops {
	bool (*send)(void *data, const uint8_t *bytes, size_t len); /* one message; false = lost */
	void *data;
};

struct desk {
	struct desk_opts opts;
	struct desk_ops ops;
	uint64_t now_ns;
	uint64_t rx_ns;      /* when the last byte came; 0 = never */
	uint64_t changed;    /* counts what can be seen or felt */
	bool fresh;          /* was switched on and has not said so yet */
	bool touchless;      /* untouched moves are reported too */
	struct bh_midi_parser parser;
	uint32_t message_bytes;
	struct desk_fader fader[BH_MCU_FADERS];
	enum bh_mcu_led led[DESK_BUTTONS];
	struct desk_ring ring[BH_MCU_STRIPS];
	char lcd[BH_MCU_LCD_CELLS];
	uint8_t colour[BH_MCU_STRIPS];
	uint8_t digit[BH_MCU_DIGITS];
	struct desk_meter meter[BH_MCU_STRIPS];
	bool pressed[DESK_BUTTONS];
	uint64_t release_ns[DESK_BUTTONS]; /* end of a tap; 0 = none */
	uint32_t taps;
	uint64_t presses[DESK_BUTTONS];    /* sent */
	int64_t turned[BH_MCU_STRIPS], jogged; /* ticks, sent */
	int64_t turned_lost, presses_lost;
	uint8_t pedal;
	uint64_t count[DESK_COUNTS];
	uint64_t logged; /* values ever written to log */
	struct desk_target log[DESK_LOG];
};

/* Throw 250 ms, return 1 s, reports at 200 Hz; and the faders are at the bottom. */
extern const struct desk_opts desk_defaults;
void desk_init(struct desk *d, const struct desk_opts *opts, const struct desk_ops *ops,
	       uint64_t now_ns);

/* Let time pass. All functions below with a time do this first. */
void desk_advance(struct desk *d, uint64_t now_ns);
/* When something will happen by itself (a report, a motor's step, a meter's fall); 0 = nothing. */
uint64_t desk_next_ns(const struct desk *d);

void desk_receive(struct desk *d, uint64_t now_ns, const uint8_t *bytes, size_t len);
/* A host is there: announces itself if it was just switched on. */
void desk_connect(struct desk *d, uint64_t now_ns);
/* Off and on again: dark, silent, caps where they were, nothing known of the host's wishes. */
void desk_power_cycle(struct desk *d, uint64_t now_ns);

/* Units differ: from now on the caps go, and report, from low to high. 0 or -EINVAL. */
int desk_travel(struct desk *d, uint64_t now_ns, uint16_t low, uint16_t high);

/* Hands. Faders and strips count from 0. 0 or -EINVAL. */
int desk_touch(struct desk *d, uint64_t now_ns, unsigned fader, bool on);
/* To pos along a line in dur_ns (0 = at once); touching: touch first, release in the end. */
int desk_move(struct desk *d, uint64_t now_ns, unsigned fader, uint16_t pos, uint64_t dur_ns,
	      bool touching);
int desk_button(struct desk *d, uint64_t now_ns, unsigned note, bool pressed);
/* Press now, and release after hold_ns. */
int desk_tap(struct desk *d, uint64_t now_ns, unsigned note, uint64_t hold_ns);
int desk_turn(struct desk *d, uint64_t now_ns, unsigned vpot, int ticks);
int desk_jog(struct desk *d, uint64_t now_ns, int ticks);
int desk_pedal(struct desk *d, uint64_t now_ns, uint8_t value);

/* Does the desk have such a button (touch notes and bare lights are none)? */
bool desk_has_button(unsigned note);
/* A hand is moving a cap, or a tap has not ended. */
bool desk_hands_busy(const struct desk *d);
bool desk_motors_busy(const struct desk *d);
bool desk_held(const struct desk_fader *f);
/* Position of the cap in whole steps. */
uint16_t desk_pos(const struct desk_fader *f);
uint16_t desk_quantise(double pos);
/* As it is now: meters fall by themselves. */
uint8_t desk_meter_level(const struct desk *d, unsigned strip);
/* Text of a strip's line (0 upper, 1 lower), trailing blanks cut. */
void desk_strip_text(const struct desk *d, unsigned strip, unsigned line,
		     char text[BH_MCU_CELL_WIDTH + 1]);
/* Digits first..first+n-1 (from the right) as text, a dot after its digit. cap of 2 * n + 1 is enough. */
void desk_digits(const struct desk *d, unsigned first, unsigned n, char *text, size_t cap);

const char *desk_count_name(unsigned count);
const char *desk_colour_name(unsigned colour);
const char *desk_ring_name(enum bh_mcu_ring mode);
const char *desk_led_name(enum bh_mcu_led led);
