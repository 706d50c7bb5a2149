/* verb_emit.c - bytes to a device, as they are, and what it says to them */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/midi/check.h"
#include "common/units.h"
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/hear.h"
#include "supervisor/ctl/output.h"

static int
refuse_bytes(struct ctl *ctl, const uint8_t *bytes, int n)
{
	size_t at;
	const char *why;
	if (bh_midi_is_whole(bytes, (size_t)n, &at, &why))
		return CTL_OK;
	if (at < (size_t)n)
		return ctl_error(ctl, "bad-value", "whole messages, each with its status byte", "byte %zu (%02x): %s", at + 1, bytes[at], why);
	return ctl_error(ctl, "bad-value", "whole messages, each with its status byte", "after byte %zu: %s", at, why);
}

static void
show_heard(struct ctl *ctl, const struct bh_midi_msg *msg)
{
	char hex[3 * BH_MIDI_SYSEX_MAX + 8], words[120];
	hear_hex(msg, hex, sizeof(hex));
	hear_words(msg, words, sizeof(words));
	if (ctl->json)
		printf("{\"bytes\":\"%s\",\"words\":\"%s\"}\n", hex, words);
	else
		printf("%-24s %s\n", hex, words);
	fflush(stdout);
}

/* Messages stand whole before the position that we follow. */
static void
hear(struct ctl *ctl, struct direct_raw *raw)
{
	struct bh_midi_parser parser = {0};
	struct bh_midi_msg msg;
	uint8_t buf[1024];
	uint64_t until = bh_mono_ns() + (uint64_t)ctl->watch_ms * BH_NS_PER_MS;
	bool last;
	do {
		last = bh_mono_ns() >= until;
		for (size_t n; (n = direct_raw_read(raw, buf, sizeof(buf))) > 0;)
			for (size_t i = 0; i < n; i++)
				if (bh_midi_parse(&parser, buf[i], &msg))
					show_heard(ctl, &msg);
		if (!last)
			nanosleep(&(struct timespec){0, 5000000}, NULL);
	} while (!last);
}

static int
listen_to(struct ctl *ctl, const char *surface, struct direct_raw *raw)
{
	static struct direct d;
	struct bh_wire_error err = {0};
	int r = ctl_look(ctl, &d);
	if (r != CTL_OK)
		return r;
	int slot = bh_view_find_proc(&d.view, surface, &err);
	direct_close(&d);
	if (slot < 0)
		return ctl_show_error(ctl, &err);
	if (direct_raw_open(raw, (uint16_t)slot) < 0)
		return ctl_error(ctl, "bad-value", NULL, "%s is no surface", surface);
	return CTL_OK;
}

int
verb_emit(struct ctl *ctl, int argc, char **argv)
{
	uint8_t bytes[BH_WIRE_ARGS_MAX];
	const char *wrong = "";
	struct direct_raw raw = {0};
	struct bh_wire_out o;
	int n = ctl_parse_hex(argc - 1, argv + 1, bytes, sizeof(bytes), &wrong);
	if (n == -E2BIG)
		return ctl_error(ctl, "bad-value", NULL, "at most %zu bytes at once", sizeof(bytes));
	if (n < 0)
		return ctl_error(ctl, "bad-value", "two hexadecimal digits a byte: 90 18 7f", "\"%s\" is no byte", wrong);
	int code = refuse_bytes(ctl, bytes, n);
	if (code == CTL_OK && ctl->watch_ms >= 0)
		code = listen_to(ctl, argv[0], &raw);
	if (code != CTL_OK)
		return code;
	uint64_t id = ctl_begin(&o, BH_VERB_EMIT);
	bh_wire_str(&o, "surface", argv[0]);
	bh_wire_bin(&o, "bytes", bytes, (size_t)n);
	code = ctl_act(ctl, &o, id, BH_VERB_EMIT);
	if (code == CTL_OK && ctl->watch_ms >= 0)
		hear(ctl, &raw);
	direct_raw_close(&raw);
	return code;
}
