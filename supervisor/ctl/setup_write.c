/* setup_write.c - see setup.h: the commented configuration */
#include <string.h>

#include "supervisor/ctl/setup.h"

static void
put_text(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		fputc((unsigned char)*s < 0x20 ? ' ' : *s, out);
	}
	fputc('"', out);
}

static void
put_head(FILE *out)
{
	fprintf(out, "# Written by `bulkhead setup`. It is yours now: change what you like, then\n"
		     "#   bulkhead check FILE     all errors at once, with their places\n"
		     "#   bulkhead run -c FILE    (or, while it runs, bulkhead reload)\n"
		     "#   bulkhead learn          press, move or turn something: its name, and a line to paste here\n"
		     "bulkhead: 1\n\n");
}

/* ------------------------------------------------------------------ surfaces */

static unsigned
same_before(const struct setup_found *f, unsigned i)
{
	unsigned n = 0;
	for (unsigned k = 0; k < i; k++)
		n += strcmp(f->card[k].device, f->card[i].device) == 0;
	return n;
}

static void
put_surfaces(FILE *out, const struct setup_found *f)
{
	unsigned desks = 0;
	fprintf(out, "surfaces:\n");
	for (unsigned i = 0; i < f->cards; i++) {
		const struct setup_card *c = &f->card[i];
		if (!c->device[0])
			continue;
		/* Of two that are alike the second would open the first. */
		bool twin = same_before(f, i) > 0;
		fprintf(out, "  # %s%s%s, found as sound card %d. It is found by its name, wherever it is plugged in.\n", c->name,
			c->usb[0] ? ", USB " : "", c->usb, c->number);
		if (twin)
			fprintf(out, "  # There is another of its model: set `card` or `port` of both to what tells them apart.\n");
		fprintf(out, "  %s%s", twin ? "# " : "", desks || twin ? "" : "desk: ");
		if (desks || twin)
			fprintf(out, "desk%u: ", desks + 1);
		fprintf(out, "{ device: %s }\n", c->device);
		desks++;
	}
	desks += desks == 0; /* the simulated one */
	for (unsigned i = 0; i < f->cards; i++) {
		const struct setup_card *c = &f->card[i];
		if (c->device[0])
			continue;
		fprintf(out, "  # %s%s%s has MIDI. If it is a desk that speaks Mackie Control:\n  # desk%u: { device: mcu-generic, card: ", c->name,
			c->usb[0] ? ", USB " : "", c->usb, desks + 1);
		desks++;
		put_text(out, c->name);
		fprintf(out, " }\n");
	}
	if (!f->may_open)
		fprintf(out, "  # You are not allowed to open it: install the udev rule, or join the group audio.\n");
	bool real = false;
	for (unsigned i = 0; i < f->cards; i++)
		real |= f->card[i].device[0] != '\0';
	if (real)
		fprintf(out, "  # Without the device: the simulated one, `bh-simdesk`.\n  # desk: { device: x-touch, transport: socket, path: "
			     "$runtime/desk.sock }\n\n");
	else
		fprintf(out, "  # %s. This is the simulated desk: start `bh-simdesk` beside it.\n"
			     "  desk: { device: x-touch, transport: socket, path: $runtime/desk.sock }\n"
			     "  # An X-Touch on USB, in Mackie Control mode:\n  # desk: { device: x-touch }\n\n",
			f->has_alsa ? "No control surface was found" : "This machine has no sound devices, so no desk was found");
}

/* ------------------------------------------------------------------ drivers */

static bool
is_used(const struct setup_found *f, const struct setup_answers *a, enum setup_backend b)
{
	return f->backend[b].found && a->has_kind[b] && !a->only_loop;
}

static void
put_backend(FILE *out, const struct setup_found *f, const struct setup_answers *a, enum setup_backend b)
{
	const char *name = setup_backend_name(b);
	const char *off = is_used(f, a, b) ? "" : "# ";
	if (!f->backend[b].found)
		return;
	fprintf(out, "  # Found: %s%s.\n", f->backend[b].detail, f->backend[b].needs_password ? ", with a password" : "");
	if (!a->has_kind[b]) {
		fprintf(out, "  # This version of Bulkhead has no driver for it yet.\n");
		return;
	}
	fprintf(out, "  %s%s:\n  %s  kind: %s\n", off, name, off, name);
	if (a->has_port_key[b] && a->port[b])
		fprintf(out, "  %s  port: %u\n", off, a->port[b]);
	if (!f->backend[b].needs_password || !a->has_password_key[b])
		return;
	fprintf(out, "  %s  %spassword: ", off, a->password[b] ? "" : "# ");
	put_text(out, a->password[b] ? a->password[b] : "it asks for one: put it here");
	fputc('\n', out);
}

static void
put_midi(FILE *out, const struct setup_found *f, const struct setup_answers *a)
{
	if (!f->peers || !a->has_midi)
		return;
	const char *off = a->only_loop ? "# " : "";
	fprintf(out, "  # Programs and devices on the ALSA sequencer. Say under `parameters` what their messages mean:\n"
		     "  #   parameters:\n"
		     "  #     - { name: volume, port: port1, type: cc, channel: 1, number: 7 }\n"
		     "  %smidi:\n  %s  kind: midi\n  %s  client: Bulkhead\n  %s  ports:\n", off, off, off, off);
	for (unsigned i = 0; i < f->peers; i++) {
		char peer[140];
		snprintf(peer, sizeof(peer), "%s:%s", f->peer[i].client, f->peer[i].port);
		fprintf(out, "  %s    - { name: port%u, connect: ", off, i + 1);
		put_text(out, peer);
		fprintf(out, " }\n");
	}
}

static void
put_drivers(FILE *out, const struct setup_found *f, const struct setup_answers *a)
{
	fprintf(out, "drivers:\n  # A mixer that is simulated: so that every control has something to do at once. Take it out when you like.\n"
		     "  loop: { kind: loop, channels: 8 }\n");
	for (unsigned b = 0; b < SETUP_BACKENDS; b++)
		put_backend(out, f, a, (enum setup_backend)b);
	put_midi(out, f, a);
	fputc('\n', out);
}

/* ------------------------------------------------------------------ pages */

/* Whatever inputs and scenes OBS has, now or later. */
static void
put_obs_banks(FILE *out)
{
	fprintf(out, "banks:\n"
		     "  # The inputs of OBS on the faders, its scenes on the keys; what comes or goes in OBS comes and goes here.\n"
		     "  inputs:\n"
		     "    items: obs/input/*/volume\n"
		     "    strips: desk/1-8\n"
		     "    each:\n"
		     "      fader: \"obs/input/{}/volume\"\n"
		     "      mute: { toggle: \"obs/input/{}/mute\" }\n"
		     "      meter: \"obs/input/{}/meter\"\n"
		     "      strip: { strip: \"obs/input/{}/volume\", text: \"{}\", light: [{ when: \"obs/input/{}/tally == program\", color: red }] }\n"
		     "  scenes:\n"
		     "    items: obs/scene/*/tally\n"
		     "    strips: desk/1-8\n"
		     "    each:\n"
		     "      select: { action: obs/scene, args: [\"{}\"], light: [{ when: \"obs/scene/{}/tally == program\" }, "
		     "{ when: \"obs/scene/{}/tally == preview\", show: flash }] }\n\n");
}

static void
put_obs_page(FILE *out, const char *desk)
{
	fprintf(out, "  - name: OBS\n    color: red\n    banks: [inputs, scenes]\n    bindings:\n"
		     "      %sfader_main: obs/tbar # in studio mode\n"
		     "      %splay: { action: obs/transition }\n"
		     "      %srecord: { toggle: obs/record, light: [{ when: obs/record/state == starting, show: flash }, { when: obs/record }] }\n",
		desk, desk, desk);
}

static void
put_pages(FILE *out, const struct setup_found *f, const struct setup_answers *a)
{
	unsigned real = 0;
	for (unsigned i = 0; i < f->cards; i++)
		real += f->card[i].device[0] && same_before(f, i) == 0;
	/* Where there are several surfaces, a control is written with its surface. */
	const char *desk = real > 1 ? "desk/" : "";
	bool obs = is_used(f, a, SETUP_OBS);
	if (obs)
		put_obs_banks(out);
	fprintf(out, "pages:\n");
	if (obs)
		put_obs_page(out, desk);
	fprintf(out, "  - name: Mix\n    color: green\n    bindings:\n");
	for (unsigned i = 1; i <= 8; i++)
		fprintf(out, "      %sfader%u: loop/ch%u/level\n", desk, i, i);
	for (unsigned i = 1; i <= 8; i++)
		fprintf(out, "      %smute%u: loop/ch%u/mute\n", desk, i, i);
	for (unsigned i = 1; i <= 8; i++)
		fprintf(out, "      %sstrip%u: { strip: loop/ch%u/level, text: \"Channel %u\" }\n", desk, i, i, i);
	fprintf(out, "  # - name: Another\n  #   bindings:\n  #     %sfader1: DRIVER/PARAMETER # `bulkhead params` lists them\n", desk);
}

void
setup_write(FILE *out, const struct setup_found *f, const struct setup_answers *a)
{
	put_head(out);
	put_surfaces(out, f);
	put_drivers(out, f, a);
	put_pages(out, f, a);
}

bool
setup_is_secret(const struct setup_found *f, const struct setup_answers *a)
{
	for (unsigned b = 0; b < SETUP_BACKENDS; b++)
		if (f->backend[b].found && f->backend[b].needs_password && a->password[b] && a->has_kind[b] && a->has_password_key[b])
			return true;
	return false;
}
