/*
 * report - see report.h
 */
#include "procs/simdesk/report.h"

#include <inttypes.h>

static const char *
bool_text(bool b)
{
	return b ? "true" : "false";
}

static void
put_text(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void
put_fader(FILE *to, const struct desk_fader *f, unsigned i)
{
	fprintf(to, "{\"name\":\"%s\",\"pos\":%u,\"target\":",
		bh_mcu_note_name((uint8_t)(BH_MCU_NOTE_TOUCH + i)), desk_pos(f));
	if (f->has_target)
		fprintf(to, "%u", f->target);
	else
		fputs("null", to);
	fprintf(to, ",\"touched\":%s,\"held\":%s,\"driving\":%s,\"waiting\":%s,\"fights\":%" PRIu64
		    ",\"writes\":%" PRIu64 ",\"touches\":%" PRIu64 "}",
		bool_text(f->touched), bool_text(desk_held(f)), bool_text(f->driving),
		bool_text(f->run_back_ns), f->fights, f->writes, f->touches);
}

static void
put_strip(FILE *to, const struct desk *d, unsigned i)
{
	char text[BH_MCU_CELL_WIDTH + 1];
	desk_strip_text(d, i, 0, text);
	fputs("{\"upper\":", to);
	put_text(to, text);
	desk_strip_text(d, i, 1, text);
	fputs(",\"lower\":", to);
	put_text(to, text);
	fprintf(to, ",\"color\":\"%s\"}", desk_colour_name(d->colour[i]));
}

static void
put_leds(FILE *to, const struct desk *d)
{
	const char *comma = "";
	fputs("\"leds\":{", to);
	for (unsigned n = 0; n < DESK_BUTTONS; n++) {
		const char *name = bh_mcu_note_name((uint8_t)n);
		if (!name || (n >= BH_MCU_NOTE_TOUCH && n <= BH_MCU_NOTE_TOUCH + 8))
			continue;
		fprintf(to, "%s\"%s\":\"%s\"", comma, name, desk_led_name(d->led[n]));
		comma = ",";
	}
	fputc('}', to);
}

static void
put_presses(FILE *to, const struct desk *d)
{
	const char *comma = "";
	fputs("\"presses\":{", to);
	for (unsigned n = 0; n < DESK_BUTTONS; n++) {
		if (!d->presses[n])
			continue;
		fprintf(to, "%s\"%s\":%" PRIu64, comma, bh_mcu_note_name((uint8_t)n), d->presses[n]);
		comma = ",";
	}
	fputc('}', to);
}

static void
put_turned(FILE *to, const struct desk *d)
{
	fputs("\"vpots\":{", to);
	for (unsigned i = 0; i < BH_MCU_STRIPS; i++)
		fprintf(to, "%s\"vpot%u\":%" PRId64, i ? "," : "", i + 1, d->turned[i]);
	fprintf(to, "},\"jog\":%" PRId64 ",\"pedal\":%u", d->jogged, d->pedal);
}

static void
put_counters(FILE *to, const struct desk *d, const struct cable *c)
{
	fputs("\"counters\":{", to);
	for (unsigned i = 0; i < DESK_COUNTS; i++)
		fprintf(to, "%s\"%s\":%" PRIu64, i ? "," : "", desk_count_name(i), d->count[i]);
	fprintf(to, ",\"lost_ticks\":%" PRId64 ",\"lost_presses\":%" PRId64 "},", d->turned_lost,
		d->presses_lost);
	fprintf(to,
		"\"cable\":{\"plugged\":%s,\"peer\":%s,\"peers\":%" PRIu64 ",\"queued\":%zu,"
		"\"to_host\":{\"bytes\":%" PRIu64 ",\"busy_ns\":%" PRIu64
		"},\"from_host\":{\"bytes\":%" PRIu64 ",\"busy_ns\":%" PRIu64 "}}",
		bool_text(c->wanted), bool_text(c->peer), c->peers, cable_queued(c), c->to_host.bytes,
		c->to_host.busy_ns, c->from_host.bytes, c->from_host.busy_ns);
}

void
report_state(FILE *to, const struct desk *d, const struct cable *c)
{
	char text[2 * BH_MCU_DIGITS + 1];
	fprintf(to, "{\"time_ns\":%" PRIu64 ",\"faders\":[", d->now_ns);
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		fputs(i ? "," : "", to);
		put_fader(to, &d->fader[i], i);
	}
	fputs("],\"rings\":[", to);
	for (unsigned i = 0; i < BH_MCU_STRIPS; i++)
		fprintf(to, "%s{\"mode\":\"%s\",\"pos\":%u,\"extra\":%s}", i ? "," : "",
			desk_ring_name(d->ring[i].mode), d->ring[i].pos, bool_text(d->ring[i].extra));
	fputs("],\"strips\":[", to);
	for (unsigned i = 0; i < BH_MCU_STRIPS; i++) {
		fputs(i ? "," : "", to);
		put_strip(to, d, i);
	}
	fputs("],\"meters\":[", to);
	for (unsigned i = 0; i < BH_MCU_STRIPS; i++)
		fprintf(to, "%s{\"level\":%u,\"over\":%s}", i ? "," : "", desk_meter_level(d, i),
			bool_text(d->meter[i].over));
	fputs("],\"timecode\":", to);
	desk_digits(d, 0, 10, text, sizeof(text));
	put_text(to, text);
	fputs(",\"assignment\":", to);
	desk_digits(d, 10, 2, text, sizeof(text));
	put_text(to, text);
	fputc(',', to);
	put_leds(to, d);
	fputc(',', to);
	put_turned(to, d);
	fputc(',', to);
	put_presses(to, d);
	fputc(',', to);
	put_counters(to, d, c);
	fputs("}\n", to);
}

void
report_targets(FILE *to, const struct desk *d)
{
	uint64_t first = d->logged > DESK_LOG ? d->logged - DESK_LOG : 0;
	fprintf(to, "{\"total\":%" PRIu64 ",\"targets\":[", d->logged);
	for (uint64_t i = first; i < d->logged; i++) {
		const struct desk_target *t = &d->log[i % DESK_LOG];
		fprintf(to, "%s[%.6f,%u,%u,%u,%s,%s]", i == first ? "" : ",", (double)t->at_ns / 1e9,
			t->fader + 1, t->target, t->pos, bool_text(t->touched), bool_text(t->stale));
	}
	fputs("]}\n", to);
}

void
report_end_state(FILE *to, const struct desk *d)
{
	fputs("{\"faders\":{", to);
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		const struct desk_fader *f = &d->fader[i];
		fprintf(to, "%s\"%s\":", i ? "," : "",
			bh_mcu_note_name((uint8_t)(BH_MCU_NOTE_TOUCH + i)));
		if (f->has_reported)
			fprintf(to, "%u", f->reported);
		else
			fputs("null", to);
	}
	fputs("},", to);
	put_turned(to, d);
	fputc(',', to);
	put_presses(to, d);
	fprintf(to, ",\"lost_ticks\":%" PRId64 ",\"lost_presses\":%" PRId64 ",\"lost_messages\":%" PRIu64
		    "}\n",
		d->turned_lost, d->presses_lost, d->count[DESK_C_LOST_MESSAGES]);
}
