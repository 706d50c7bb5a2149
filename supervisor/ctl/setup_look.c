/* setup_look.c - see setup.h: sound cards and sequencer clients, as the kernel lists them */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "supervisor/ctl/setup.h"

const struct setup_places setup_usual = {
	.asound = "/proc/asound",
	.snd = "/dev/snd",
	.port = {[SETUP_OBS] = 4455, [SETUP_QLC] = 9999, [SETUP_MQTT] = 1883},
};

static const char *const names[SETUP_BACKENDS] = {"obs", "qlcplus", "mqtt", "pipewire", "pulse", "mpris"};

const char *
setup_backend_name(enum setup_backend b)
{
	return b < SETUP_BACKENDS ? names[b] : "?";
}

int
setup_ports(struct setup_places *p, const char *text)
{
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "=");
		char *end;
		unsigned b = 0;
		while (b <= SETUP_MQTT && (strlen(names[b]) != len || strncmp(names[b], at, len) != 0))
			b++;
		if (b > SETUP_MQTT || at[len] != '=')
			return -EINVAL;
		unsigned long port = strtoul(at + len + 1, &end, 10);
		if (end == at + len + 1 || port > 65535 || (*end && *end != ','))
			return -EINVAL;
		p->port[b] = (uint16_t)port;
		at = *end ? end + 1 : end;
	}
	return 0;
}

/* ------------------------------------------------------------------ cards */

static bool
read_line(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "re");
	out[0] = '\0';
	if (!f)
		return false;
	bool ok = fgets(out, (int)cap, f) != NULL;
	fclose(f);
	out[strcspn(out, "\n")] = '\0';
	return ok;
}

/* A name that others chose: nothing that could end a line or a text in YAML. */
static void
clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == '"' || *s == '\\' || *s == 0x7f)
			*s = ' ';
}

static bool
has_midi(const struct setup_places *p, int card)
{
	char path[300];
	for (int d = 0; d < 8; d++) {
		snprintf(path, sizeof(path), "%s/card%d/midi%d", p->asound, card, d);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* `card: "X-Touch"` of a device file: how long the text is that stands in the name, 0 = it does not. */
static size_t
fits(const char *file, const char *name, const char *usb)
{
	char line[256], card[64] = "", id[32] = "";
	FILE *f = fopen(file, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f) && strncmp(line, "controls:", 9) != 0) {
		sscanf(line, " card: \"%63[^\"]\"", card);
		sscanf(line, " usb: \"%31[^\"]\"", id);
	}
	fclose(f);
	if (id[0] && usb[0] && strstr(id, usb))
		return 1000;
	return card[0] && !strchr(card, '|') && strcasestr(name, card) ? strlen(card) : 0;
}

/* The device file that says most about this card. */
static void
find_device(const struct setup_places *p, struct setup_card *c)
{
	DIR *dir = p->devices ? opendir(p->devices) : NULL;
	size_t best = 0;
	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));) {
		size_t len = strlen(e->d_name);
		char path[600];
		if (len <= 5 || len - 5 >= sizeof(c->device) || strcmp(e->d_name + len - 5, ".yaml") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", p->devices, e->d_name);
		size_t n = fits(path, c->name, c->usb);
		if (n <= best)
			continue;
		best = n;
		snprintf(c->device, sizeof(c->device), "%.*s", (int)(len - 5), e->d_name);
	}
	closedir(dir);
}

/* " 1 [XTouch         ]: USB-Audio - X-Touch" */
static void
take_card(const struct setup_places *p, struct setup_found *f, const char *line)
{
	struct setup_card c = {0};
	char path[300];
	const char *name = strstr(line, "]: ");
	if (f->cards == SETUP_CARDS_MAX || sscanf(line, " %d [", &c.number) != 1 || !name || !has_midi(p, c.number))
		return;
	name = strstr(name, " - ") ? strstr(name, " - ") + 3 : name + 3;
	snprintf(c.name, sizeof(c.name), "%s", name);
	clean(c.name);
	snprintf(path, sizeof(path), "%s/card%d/usbid", p->asound, c.number);
	read_line(path, c.usb, sizeof(c.usb));
	if (strlen(c.usb) != 9 || c.usb[4] != ':')
		c.usb[0] = '\0';
	find_device(p, &c);
	f->card[f->cards++] = c;
}

/* ------------------------------------------------------------------ the sequencer */

static bool
is_card(const struct setup_found *f, const char *client)
{
	for (unsigned i = 0; i < f->cards; i++)
		if (strcmp(f->card[i].name, client) == 0)
			return true;
	return false;
}

/* `Client 128 : "FLUID Synth" [User Legacy]`, then `  Port   0 : "Synth input" (-We-)`. */
static void
look_at_sequencer(const struct setup_places *p, struct setup_found *f)
{
	char path[300], line[300], client[64] = "", port[64];
	snprintf(path, sizeof(path), "%s/seq/clients", p->asound);
	FILE *in = fopen(path, "re");
	if (!in)
		return;
	while (fgets(line, sizeof(line), in)) {
		int number;
		if (sscanf(line, "Client %d : \"%63[^\"]\"", &number, client) == 2) {
			/* 0 is the kernel's own, 14 "Midi Through". */
			if (number == 0 || number == 14 || is_card(f, client) || strcmp(client, "Bulkhead") == 0)
				client[0] = '\0';
			continue;
		}
		if (!client[0] || f->peers == SETUP_PEERS_MAX || sscanf(line, " Port %d : \"%63[^\"]\"", &number, port) != 2)
			continue;
		struct setup_peer *q = &f->peer[f->peers++];
		snprintf(q->client, sizeof(q->client), "%s", client);
		snprintf(q->port, sizeof(q->port), "%s", port);
		clean(q->client);
		clean(q->port);
	}
	fclose(in);
}

void
setup_look_at_cards(const struct setup_places *p, struct setup_found *f)
{
	char path[300], line[300];
	snprintf(path, sizeof(path), "%s/cards", p->asound);
	FILE *in = fopen(path, "re");
	f->has_alsa = in != NULL && access(p->snd, F_OK) == 0;
	f->may_open = true;
	if (!in)
		return;
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		take_card(p, f, line);
	}
	fclose(in);
	for (unsigned i = 0; i < f->cards && f->has_alsa; i++) {
		snprintf(path, sizeof(path), "%s/midiC%dD0", p->snd, f->card[i].number);
		if (access(path, F_OK) == 0 && access(path, R_OK | W_OK) < 0)
			f->may_open = false;
	}
	look_at_sequencer(p, f);
}
