/*
 * shadow - what the hardware shows, what it shall show, and which bytes come next
 *
 * In:    wanted states of controls, what the hand does to the faders, the time
 * Out:   the bytes to send now, most urgent first, within the link's bandwidth; and when to ask again
 * Fails: never. What is out of range is clamped or ignored; a memory of another panel is started afresh.
 *
 * Pure: no I/O, no clock, no allocation. struct shadow_memory is plain old data that outlives the process: a
 * successor sends only what differs. What is shown is noted only after the bytes were written, so a process killed
 * at any instruction leaves at worst something to be sent twice.
 *
 * Order: answers to the device, faders, LEDs, rings, digits, colours, text, meters. Within one kind it goes round, so
 * that a busy control starves nobody. Rates are limited for each fader and meter, and for the colours.
 *
 *   fader            touched             hand leaves              hand moved it, no touch felt
 *   feedback comes   keep it             drive                    drive
 *   hand moves       becomes the wanted  becomes the wanted       becomes the wanted, set after 250 ms
 *   motor            never               once, to the wanted      when it differs
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/compiled.h"
#include "common/feedback.h"
#include "common/midi/mcu.h"
#include "procs/surface/calibrate.h"

enum {
	SHADOW_MAGIC = 0x31444853, /* "SHD1" */
	SHADOW_BATCH = 512,	   /* bytes that shadow_next() gives at most; longer than any message */
	SHADOW_BATCH_ITEMS = 200,
	SHADOW_RAW_MAX = 320, /* less than a batch */
	/*
	 * On some devices a motor that moves reports its way: for so long after a command, and as long as reports go on
	 * without a pause, up to a limit, untouched movement is taken for the motor's.
	 */
	SHADOW_MOTOR_MS = 250,
	SHADOW_MOTOR_PAUSE_MS = 100,
	SHADOW_MOTOR_LIMIT_MS = 600,
	SHADOW_MOTOR_STEPS = 8, /* and what is so near to the motor's target is no hand at any time */
	SHADOW_SETTLE_MS = 250, /* a fader moved by a nail feels no touch: it rests when no move came for so long */
	/* Surfaces let meters fall by themselves, about 300 ms a division: hold those that stay up. */
	SHADOW_METER_HOLD_MS = 250,
	SHADOW_CLIP_HOLD_MS = 2000, /* overload stays marked for so long */
	/* What may lie in the kernel's and the cable's buffers, so that the next fader need not wait long. */
	SHADOW_AHEAD_MS = 10,
};

/* What the device can do; from its file. */
struct surface_caps {
	uint8_t sysex_id;
	uint16_t fader_min, fader_max, fader_step;
	struct calibration measured; /* goes before the two */
	uint8_t meter_steps; /* highest level */
	bool colors, meters, ring_mark;
	bool running_status; /* the link may use it (DIN) */
	uint32_t bytes_per_s; /* 0 = no limit */
	uint32_t fader_hz, meter_hz, color_hz; /* 0 = no limit */
};

/* Shown words: SHADOW_KNOWN and the value; one store, so never half true. */
#define SHADOW_KNOWN 0x80000000u

enum { SHADOW_WANTED = 1, SHADOW_TOUCHED = 2, SHADOW_REFUSED = 4 };

struct shadow_item {
	uint32_t gen;	 /* of the feedback cell taken last, 0 = none */
	uint32_t shown;	 /* SHADOW_KNOWN | value */
	uint16_t wanted; /* fader: 14 bit; LED: enum bh_mcu_led; ring: its byte; meter: level | over << 8 */
	uint8_t flags;
	uint8_t pad;
};

struct shadow_memory {
	uint32_t magic, size;
	uint32_t shape; /* check sum of the panel's table */
	uint32_t pad;
	struct shadow_item item[BH_MAX_CONTROLS];
	char lcd_wanted[BH_MCU_LCD_CELLS], lcd_shown[BH_MCU_LCD_CELLS]; /* shown 0 = unknown */
	uint8_t digit_wanted[BH_MCU_DIGITS], digit_shown[BH_MCU_DIGITS]; /* shown 0xff = unknown */
	uint8_t color_wanted[BH_MCU_STRIPS], color_shown[BH_MCU_STRIPS]; /* shown 0xff = unknown */
};

struct shadow_stats {
	uint64_t bytes, messages, thinned, motor_echoes;
};

enum shadow_class {
	SHADOW_FADERS, SHADOW_LEDS, SHADOW_RINGS, SHADOW_DIGITS, SHADOW_COLORS, SHADOW_TEXT,
	SHADOW_METERS, SHADOW_CLASSES
};

struct shadow_sent {
	uint16_t end; /* position in the batch after its last byte */
	uint8_t cls;  /* enum shadow_class */
	uint8_t at, len;
	uint32_t value;
};

struct shadow {
	struct shadow_memory *mem; /* borrowed */
	struct bh_cfg_control control[BH_MAX_CONTROLS];
	unsigned controls;
	struct surface_caps caps;
	struct bh_midi_encoder enc;
	struct shadow_stats stats;
	uint64_t ready_ns;     /* GCRA: when the link has sent all it was given */
	uint64_t colors_ns;    /* sent last */
	uint64_t sent_ns[BH_MAX_CONTROLS];
	uint64_t motor_ns[BH_MAX_CONTROLS]; /* until then untouched movement is the motor's */
	uint64_t over_ns[BH_MAX_CONTROLS]; /* meters: in overload last */
	uint64_t hand_ns[BH_MAX_CONTROLS]; /* last move without touch; 0 = settled */
	uint64_t dirty[SHADOW_CLASSES][BH_MAX_CONTROLS / 64]; /* controls that may differ */
	unsigned turn[SHADOW_CLASSES]; /* where the class goes on */
	uint8_t raw[SHADOW_RAW_MAX];
	unsigned raw_len;
	bool hold_faders; /* no motor is driven */
	/* the batch that is being written */
	struct shadow_sent batch[SHADOW_BATCH_ITEMS];
	unsigned batch_len, batch_done;
	size_t batch_bytes, batch_written;
	char batch_lcd[BH_MCU_LCD_CELLS];
	uint8_t batch_colors[BH_MCU_STRIPS];
};

/*
 * Take a panel of `n` controls and a memory (borrowed: outlives the shadow). A memory of this panel is continued: true;
 * another is cleared: everything is unknown and dark, no fader moves before somebody wants it: false. Controls whose
 * address the protocol does not have are left out.
 */
bool shadow_init(struct shadow *s, struct shadow_memory *mem, const struct bh_cfg_control *controls, unsigned n,
		 const struct surface_caps *caps);

/* The device is new, or was switched off: nothing is known of what it shows, no hand is on it. */
void shadow_forget(struct shadow *s);

/*
 * Feedback for a control, as in common/feedback.h. `gen` is the cell's generation: the one taken already changes nothing
 * (pass 0 to force); type NONE = nothing bound. The router does not ask what a control can show: for one that shows nothing
 * there is nothing to do. False if there is no such control, or the type is wrong.
 */
bool shadow_feedback(struct shadow *s, unsigned control, uint32_t gen, uint8_t type, const union bh_val *v);
/* Forget the generations taken: the peer starts to count anew. */
void shadow_forget_gens(struct shadow *s);

/* The hand. A position that is only the motor's own report changes nothing: false. */
bool shadow_hand(struct shadow *s, unsigned control, uint16_t pos_14bit, uint64_t now_ns);
void shadow_touch(struct shadow *s, unsigned control, bool touched);
bool shadow_is_touched(const struct shadow *s, unsigned control);

/* A press came to nothing: its light flashes, whatever it shall show, until this is taken back. */
void shadow_refuse(struct shadow *s, unsigned control, bool refused);

/* LEDs, rings, digits, text and meters dark; faders stay. */
void shadow_dark(struct shadow *s);

/* The device's sysex id is another than was thought: displays and colours are sent anew. */
void shadow_device_id(struct shadow *s, uint8_t sysex_id);

/* No motor is driven until this is taken back; then each is set to what is wanted. */
void shadow_hold_faders(struct shadow *s, bool hold);

/*
 * Leave this fader where it is until it is touched or feedback comes: the hand may have moved it while nobody looked.
 */
void shadow_leave(struct shadow *s, unsigned control);

/* Send all that is shown once more, whatever stands there: the device may show something else. Hands stay where they are. */
void shadow_redraw(struct shadow *s);

/*
 * Whole messages that go before everything else (an answer to the device, what a person emits). False if there is no room. What
 * they change is unknown from the moment that they are sent: it stays so until it is wanted anew, or shadow_redraw().
 */
bool shadow_raw(struct shadow *s, const uint8_t *bytes, size_t len);

/*
 * The bytes to send now (at most cap, which should be SHADOW_BATCH), whole messages; 0 = none. *again_ns: when to ask again even
 * if nothing changes, 0 = never. Once shadow_written() was told of all of them, and not before, ask again: until it gives 0.
 */
size_t shadow_next(struct shadow *s, uint64_t now_ns, uint8_t *buf, size_t cap, uint64_t *again_ns);
/* `len` further bytes of the batch have been written to the device. */
void shadow_written(struct shadow *s, size_t len);
/* The rest of the batch will never be written (the device is gone; call shadow_forget() when it is back). */
void shadow_drop_batch(struct shadow *s);
/* Does all that can be shown stand on the hardware? Meters are not asked. */
bool shadow_is_settled(const struct shadow *s);
