/*
 * verb_calibrate.c - measure the travel of the faders, with a person who pushes them
 *
 * bh-surface measures, decides and keeps (procs/surface/calibrate.h); here is the talk with the person, the look at the motors,
 * and the table. Whoever leaves in the middle leaves the faders as they were: bh-surface gives up by itself.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/midi/mcu.h"
#include "common/units.h"
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

#define TIMEOUT_S 300.0
#define LOOK_MS 200
#define SILENT_MAX 5 /* looks without an answer */
#define MOTOR_MS 1200 /* several times what a motor needs */
#define MOTOR_NEAR 64 /* it stands where it was sent */

struct fader {
	char name[24], how[16];
	unsigned addr, min, max, tops, bottoms;
	bool fresh;	     /* measured now */
	int reported[2];     /* by the motor, at bottom and top; -1 = nothing */
};

struct faders {
	struct fader f[BH_MCU_FADERS];
	unsigned n;
};

static volatile sig_atomic_t ended;

static void
on_end(int sig)
{
	(void)sig;
	ended = 1;
}

/* One step; its text to `text`. An error was shown. */
static int
step(struct ctl *ctl, const char *surface, const char *what, char *text, size_t cap)
{
	struct ctl_answer a;
	struct bh_wire_out o;
	uint64_t id = ctl_begin(&o, BH_VERB_CALIBRATE);
	bh_wire_str(&o, "surface", surface);
	bh_wire_str(&o, "step", what);
	int code = ctl_ask(ctl, &o, id, BH_VERB_CALIBRATE, &a);
	text[0] = '\0';
	if (code == CTL_OK)
		bh_wire_get_str(a.root, "text", text, cap);
	ctl_answer_fini(&a);
	return code;
}

/* "fader1 0 12 15935 measured" */
static void
take_table(struct faders *fs, const char *text)
{
	fs->n = 0;
	for (const char *line = text; *line && fs->n < BH_MCU_FADERS; line += strcspn(line, "\n"), line += *line == '\n') {
		struct fader *f = &fs->f[fs->n];
		fs->n += sscanf(line, "%23s %u %u %u %15s", f->name, &f->addr, &f->min, &f->max, f->how) == 5 && f->addr < BH_MCU_FADERS;
	}
}

/* "fader1 0 12 15935 3 2 more" */
static void
take_state(struct faders *fs, const char *text)
{
	fs->n = 0;
	for (const char *line = text; *line && fs->n < BH_MCU_FADERS; line += strcspn(line, "\n"), line += *line == '\n') {
		struct fader *f = &fs->f[fs->n];
		fs->n += sscanf(line, "%23s %u %u %u %u %u %15s", f->name, &f->addr, &f->min, &f->max, &f->tops, &f->bottoms, f->how) == 7 &&
			 f->addr < BH_MCU_FADERS;
	}
}

/* ------------------------------------------------------------------ the person */

static unsigned
count_done(const struct faders *fs)
{
	unsigned n = 0;
	for (unsigned i = 0; i < fs->n; i++)
		n += strcmp(fs->f[i].how, "ok") == 0;
	return n;
}

static void
tell_progress(const struct faders *was, const struct faders *is)
{
	for (unsigned i = 0; i < is->n; i++) {
		const struct fader *f = &is->f[i];
		if (i < was->n && was->f[i].tops == f->tops && was->f[i].bottoms == f->bottoms)
			continue;
		if (f->tops || f->bottoms)
			fprintf(stderr, "%-12s top %u times, bottom %u times%s\n", f->name, f->tops, f->bottoms,
				strcmp(f->how, "ok") == 0 ? ": done" : "");
	}
}

/* Enter was pressed, or the time is over, or they are all done. 0 or an exit code. */
static int
wait_for_hands(struct ctl *ctl, const char *surface, struct faders *fs)
{
	double seconds = ctl->timeout >= 0 ? ctl->timeout : TIMEOUT_S;
	uint64_t until = seconds > 0 ? bh_mono_ns() + (uint64_t)(seconds * BH_NS_PER_S) : UINT64_MAX;
	bool person = !ctl->batch && isatty(STDIN_FILENO);
	char text[1024];
	unsigned silent = 0;
	bool told = false;
	while (!ended && bh_mono_ns() < until) {
		struct faders was = *fs;
		int code = step(ctl, surface, "state", text, sizeof(text));
		/* It may be restarted meanwhile; the measuring goes on. */
		if (code == CTL_FAILED && ++silent < SILENT_MAX)
			continue;
		if (code != CTL_OK)
			return code;
		silent = 0;
		take_state(fs, text);
		if (!ctl->batch && !ctl->json)
			tell_progress(&was, fs);
		/* A person may still be pushing, and it would be heard. */
		bool done = fs->n && count_done(fs) == fs->n;
		if (done && !person)
			return CTL_OK;
		if (done && !told)
			fprintf(stderr, "All are done: let go of them, and press Enter.\n");
		told = done;
		struct pollfd in = {.fd = person ? STDIN_FILENO : -1, .events = POLLIN};
		if (poll(&in, 1, LOOK_MS) > 0)
			return CTL_OK;
	}
	return CTL_OK;
}

/* ------------------------------------------------------------------ the motors */

static void
drive(struct ctl *ctl, const char *surface, const struct fader *f, unsigned pos)
{
	uint8_t bytes[3] = {(uint8_t)(0xe0 | f->addr), (uint8_t)(pos & 0x7f), (uint8_t)(pos >> 7 & 0x7f)};
	struct ctl_answer a;
	struct bh_wire_out o;
	uint64_t id = ctl_begin(&o, BH_VERB_EMIT);
	bh_wire_str(&o, "surface", surface);
	bh_wire_bin(&o, "bytes", bytes, sizeof(bytes));
	ctl_ask(ctl, &o, id, BH_VERB_EMIT, &a);
	ctl_answer_fini(&a);
}

static void
hear_motors(struct faders *fs, struct direct_raw *raw, unsigned end)
{
	static const struct bh_mcu_opts any = {.device_id = BH_MCU_ID_ANY};
	struct bh_midi_parser parser = {0};
	struct bh_midi_msg msg;
	struct bh_mcu_event ev;
	uint8_t buf[512];
	uint64_t until = bh_mono_ns() + MOTOR_MS * BH_NS_PER_MS;
	while (!ended && bh_mono_ns() < until) {
		for (size_t n; (n = direct_raw_read(raw, buf, sizeof(buf))) > 0;)
			for (size_t i = 0; i < n; i++) {
				if (!bh_midi_parse(&parser, buf[i], &msg) || !bh_mcu_decode_event(&any, &msg, &ev) ||
				    ev.kind != BH_MCU_EV_FADER)
					continue;
				for (unsigned k = 0; k < fs->n; k++)
					if (fs->f[k].addr == ev.index)
						fs->f[k].reported[end] = ev.pos_14bit;
			}
		nanosleep(&(struct timespec){0, 5000000}, NULL);
	}
}

static void
look_at_motors(struct ctl *ctl, const char *surface, struct faders *fs)
{
	static struct direct d;
	struct direct_raw raw;
	struct bh_wire_error err = {0};
	int slot = -1;
	if (direct_open(&d, false) == 0) {
		slot = bh_view_find_proc(&d.view, surface, &err);
		direct_close(&d);
	}
	if (slot < 0 || direct_raw_open(&raw, (uint16_t)slot) < 0)
		return;
	/* First down: whoever stands at the top already would report nothing. */
	for (unsigned end = 0; end < 2 && !ended; end++) {
		for (unsigned i = 0; i < fs->n; i++)
			if (fs->f[i].fresh)
				drive(ctl, surface, &fs->f[i], end ? fs->f[i].max : fs->f[i].min);
		hear_motors(fs, &raw, end);
	}
	direct_raw_close(&raw);
}

static void
put_back(struct ctl *ctl, const char *surface)
{
	struct ctl_answer a;
	struct bh_wire_out o;
	uint64_t id = ctl_begin(&o, BH_VERB_SYNC);
	bh_wire_str(&o, "name", surface);
	ctl_ask(ctl, &o, id, BH_VERB_SYNC, &a);
	ctl_answer_fini(&a);
}

static const char *
motor_word(const struct fader *f)
{
	if (!f->fresh)
		return "";
	if (f->reported[0] < 0 && f->reported[1] < 0)
		return "not reported";
	bool low = f->reported[0] < 0 || abs(f->reported[0] - (int)f->min) <= MOTOR_NEAR;
	bool high = f->reported[1] >= 0 && abs(f->reported[1] - (int)f->max) <= MOTOR_NEAR;
	return low && high ? "reached" : "missed";
}

/* ------------------------------------------------------------------ all together */

static void
put_table(struct ctl *ctl, const char *surface, const struct faders *fs)
{
	unsigned silent = 0, missed = 0;
	if (ctl->json) {
		printf("{\"ok\":true,\"surface\":");
		ctl_json_string(stdout, surface, strlen(surface));
		printf(",\"faders\":[");
	} else {
		printf("%-12s %7s %7s  %-10s %s\n", "FADER", "BOTTOM", "TOP", "TRAVEL", "MOTOR");
	}
	for (unsigned i = 0; i < fs->n; i++) {
		const struct fader *f = &fs->f[i];
		silent += strcmp(motor_word(f), "not reported") == 0;
		missed += strcmp(motor_word(f), "missed") == 0;
		if (ctl->json)
			printf("%s{\"name\":\"%s\",\"min\":%u,\"max\":%u,\"travel\":\"%s\",\"now\":%s,\"motor\":\"%s\"}", i ? "," : "", f->name,
			       f->min, f->max, f->how, f->fresh ? "true" : "false", motor_word(f));
		else
			printf("%-12s %7u %7u  %-10s %s\n", f->name, f->min, f->max, f->how, motor_word(f));
	}
	if (ctl->json)
		printf("]}\n");
	else if (silent)
		printf("This device does not report what its motors do: they were sent to both ends, look whether they went there.\n");
	if (missed && !ctl->json)
		printf("A motor that misses its end may be blocked or worn; its hand positions are right all the same.\n");
}

static int
measure(struct ctl *ctl, const char *surface)
{
	static struct faders state, table;
	struct sigaction sa = {.sa_handler = on_end};
	char text[1024];
	int code = step(ctl, surface, "begin", text, sizeof(text));
	if (code != CTL_OK)
		return code;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (!ctl->batch && !ctl->json)
		fprintf(stderr, "Push each fader to the top and to the bottom, three times%s. Ctrl-C leaves all as it was.\n",
			isatty(STDIN_FILENO) ? ", then press Enter" : "");
	code = wait_for_hands(ctl, surface, &state);
	if (ended || code != CTL_OK) {
		int ignored = step(ctl, surface, "cancel", text, sizeof(text));
		(void)ignored;
		return code != CTL_OK ? code : ctl_error(ctl, "failed", NULL, "interrupted; the faders are as they were");
	}
	code = step(ctl, surface, "state", text, sizeof(text));
	if (code != CTL_OK)
		return code;
	take_state(&state, text);
	code = step(ctl, surface, "finish", text, sizeof(text));
	if (code != CTL_OK) {
		char rest[8];
		step(ctl, surface, "cancel", rest, sizeof(rest));
		return code == CTL_USAGE ? CTL_FAILED : code;
	}
	take_table(&table, text);
	for (unsigned i = 0; i < table.n; i++) {
		table.f[i].reported[0] = table.f[i].reported[1] = -1;
		table.f[i].fresh = i < state.n && strcmp(state.f[i].how, "ok") == 0;
	}
	look_at_motors(ctl, surface, &table);
	put_back(ctl, surface);
	put_table(ctl, surface, &table);
	return CTL_OK;
}

int
verb_calibrate(struct ctl *ctl, int argc, char **argv)
{
	static struct faders table;
	char text[1024];
	(void)argc;
	if (!ctl->show && !ctl->reset)
		return measure(ctl, argv[0]);
	int code = step(ctl, argv[0], ctl->reset ? "reset" : "show", text, sizeof(text));
	if (code != CTL_OK)
		return code;
	take_table(&table, text);
	put_table(ctl, argv[0], &table);
	return CTL_OK;
}
