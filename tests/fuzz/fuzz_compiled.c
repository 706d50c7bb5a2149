/*
 * Compiled configurations with wrong bytes in them and a right check sum: a reader refuses them, or walks all of them without
 * a step outside. The first byte chooses: the rest is an image as it stands, or changes to a sound one (offset, offset, byte).
 */
#include <stdlib.h>
#include <string.h>

#include "common/config/compiled.h"
#include "common/config/table.h"
#include "common/config/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct item {
	char *name;
	uint32_t channel;
};
struct settings {
	char *host;
	uint16_t port;
	uint32_t every_ms;
	double gain;
	struct bh_cfg_list items;
};
static const struct bh_cfg_field item_fields[] = {
	BH_CFG(struct item, name, .type = BH_CFG_STR, .def = ""),
	BH_CFG(struct item, channel, .type = BH_CFG_U32, .def = "1", .max = "16"),
	BH_CFG_LAST,
};
static const struct bh_cfg_field fields[] = {
	BH_CFG(struct settings, host, .type = BH_CFG_STR),
	BH_CFG(struct settings, port, .type = BH_CFG_PORT, .def = "7000"),
	BH_CFG(struct settings, every_ms, .type = BH_CFG_MS, .def = "1s"),
	BH_CFG(struct settings, gain, .type = BH_CFG_FLOAT, .def = "0", .min = "-60", .max = "10", .unit = "dB"),
	BH_CFG(struct settings, items, .type = BH_CFG_LIST, .sub = item_fields, .sub_size = sizeof(struct item)),
	BH_CFG_LAST,
};

static uint32_t
str(struct bh_config_writer *w, const char *s)
{
	return bh_config_writer_str(w, s, strlen(s));
}

static void
add_option(struct bh_config_writer *w, const char *key, const char *text)
{
	struct bh_cfg_option o = {.key = str(w, key), .text = str(w, text)};
	bh_config_writer_row(w, BH_TAB_OPTIONS, &o, sizeof(o));
}

/* The router's own parameters, a bank, a reaction with a step. */
static void
add_room(struct bh_config_writer *w)
{
	struct bh_cfg_room room[] = {
		{.name = str(w, "page"), .kind = BH_ROOM_PAGE, .type = BH_ENUM, .choices = bh_config_writer_str(w, "Mix\0", 4),
		 .choices_len = 4, .count = 1},
		{.name = str(w, "bank/in"), .kind = BH_ROOM_BANK, .type = BH_INT},
		{.name = str(w, "edge/a"), .kind = BH_ROOM_EDGE, .type = BH_BOOL},
	};
	struct bh_cfg_bank bank = {.name = str(w, "in"), .room = 1, .driver = 5, .places = 2, .before = str(w, "ch"),
				   .after = str(w, "/level"), .pins = bh_config_writer_str(w, "\0x\0", 3), .pins_len = 3, .max = 8};
	struct bh_cfg_cond when = {.driver = 5, .op = BH_COND_EQ, .target = str(w, "scene"), .with = {.type = BH_TEXT, .text = str(w, "A")}};
	struct bh_cfg_step step = {.kind = BH_STEP_SET, .driver = 5, .target = str(w, "ch1/mute"), .to = {.num = 1, .type = BH_FLOAT},
				   .when = when};
	struct bh_cfg_reaction r = {.when = when, .room = 2, .page = 0, .steps = 1};
	for (size_t i = 0; i < sizeof(room) / sizeof(*room); i++)
		bh_config_writer_row(w, BH_TAB_ROOM, &room[i], sizeof(room[i]));
	bh_config_writer_row(w, BH_TAB_BANKS, &bank, sizeof(bank));
	bh_config_writer_row(w, BH_TAB_STEPS, &step, sizeof(step));
	bh_config_writer_row(w, BH_TAB_REACTIONS, &r, sizeof(r));
}

static uint8_t *
sound_image(size_t *size)
{
	struct bh_config_writer *w = bh_config_writer_new();
	struct bh_cfg_proc p[2] = {
		{.name = str(w, "desk"), .kind = str(w, "surface"), .slot = 4, .role = BH_ROLE_SURFACE, .ring_slots = 64},
		{.name = str(w, "loop"), .kind = str(w, "loop"), .slot = 5, .role = BH_ROLE_DRIVER, .ring_slots = 64},
	};
	struct bh_cfg_control ctl = {.name = "fader1", .kind = BH_CTL_FADER};
	struct bh_cfg_surface s = {.slot = 4, .controls = 2, .device = str(w, "x-touch")};
	struct bh_cfg_page page = {.name = str(w, "Mix"), .count = 1};
	struct bh_cfg_binding b[2] = {
		{.page = 0, .surface = 4, .kind = BH_BIND_VALUE, .driver = 5, .target = str(w, "ch1/level")},
		{.page = BH_PAGE_GLOBAL, .surface = 4, .control = 1, .kind = BH_BIND_ACTION, .driver = BH_DRIVER_PAGE,
		 .args = bh_config_writer_str(w, "a\0b\0", 4), .args_len = 4},
	};
	struct bh_cfg_action a = {.kind = str(w, "loop"), .name = str(w, "mark")};
	bh_config_writer_row(w, BH_TAB_PROCS, &p[0], sizeof(p[0]));
	bh_config_writer_row(w, BH_TAB_PROCS, &p[1], sizeof(p[1]));
	bh_config_writer_row(w, BH_TAB_CONTROLS, &ctl, sizeof(ctl));
	strcpy(ctl.name, "fader2");
	bh_config_writer_row(w, BH_TAB_CONTROLS, &ctl, sizeof(ctl));
	bh_config_writer_row(w, BH_TAB_SURFACES, &s, sizeof(s));
	bh_config_writer_row(w, BH_TAB_PAGES, &page, sizeof(page));
	bh_config_writer_row(w, BH_TAB_BINDINGS, &b[0], sizeof(b[0]));
	bh_config_writer_row(w, BH_TAB_BINDINGS, &b[1], sizeof(b[1]));
	bh_config_writer_row(w, BH_TAB_ACTIONS, &a, sizeof(a));
	add_room(w);
	add_option(w, "host", "h");
	add_option(w, "every_ms", "250ms");
	add_option(w, "gain", "-6 dB");
	add_option(w, "items", "1");
	add_option(w, "items[0].name", "n");
	uint8_t *image = bh_config_writer_image(w, "x.yaml", 1, size);
	bh_config_writer_free(w);
	return image;
}

/* Follow each reference as the processes do. */
static size_t
walk(const struct bh_config *c)
{
	size_t sum = strlen(bh_config_str(c, c->head->file_off));
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *p = bh_config_row(c, BH_TAB_PROCS, i);
		sum += strlen(bh_config_str(c, p->name)) + strlen(bh_config_str(c, p->binary));
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_PAGES); i++) {
		const struct bh_cfg_page *p = bh_config_row(c, BH_TAB_PAGES, i);
		for (uint32_t k = 0; k < p->count; k++) {
			const struct bh_cfg_binding *b = bh_config_row(c, BH_TAB_BINDINGS, p->first + k);
			sum += strlen(bh_config_control(c, bh_config_surface(c, b->surface), b->control)->name);
		}
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(c, BH_TAB_BINDINGS, i);
		for (uint32_t n = 0; n < b->args_len;)
			n += (uint32_t)strlen(bh_config_str(c, b->args + n)) + 1;
		char words[64];
		bh_words_binding(c, b, words, sizeof(words));
		sum += strlen(bh_config_str(c, b->target)) + strlen(bh_config_str(c, b->text)) + strlen(words);
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_REACTIONS); i++) {
		const struct bh_cfg_reaction *r = bh_config_row(c, BH_TAB_REACTIONS, i);
		for (uint32_t n = 0; n < r->steps; n++) {
			char words[64];
			bh_words_step(c, bh_config_row(c, BH_TAB_STEPS, r->step_first + n), words, sizeof(words));
			sum += strlen(words);
		}
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_BANKS); i++) {
		const struct bh_cfg_bank *b = bh_config_row(c, BH_TAB_BANKS, i);
		const char *pin = bh_config_str(c, b->pins);
		for (uint32_t n = 0; b->pins_len && n < b->places; n++, pin += strlen(pin) + 1)
			sum += *pin != 0;
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_ROOM); i++) {
		const struct bh_cfg_room *r = bh_config_row(c, BH_TAB_ROOM, i);
		const char *choice = bh_config_str(c, r->choices);
		for (uint32_t n = 0; n < r->count; n++, choice += strlen(choice) + 1)
			sum += *choice != 0;
	}
	return sum;
}

static void
read_settings(const struct bh_config *c)
{
	struct bh_options o = {.c = *c};
	struct settings s;
	void *image;
	char err[128];
	if (bh_cfg_load(&o, fields, &s, sizeof(s), &image, err, sizeof(err)) < 0)
		return;
	const struct item *item = s.items.items;
	size_t sum = strlen(s.host);
	for (uint32_t i = 0; i < s.items.count; i++)
		sum += strlen(item[i].name) + (item[i].channel > 16);
	if (s.port == 0 || s.gain > 10 || sum > BH_CFG_SIZE_MAX)
		abort();
	free(image);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *image;
	size_t len;
	if (size < 2)
		return 0;
	if (data[0] & 1) {
		len = size - 1;
		image = malloc(len);
		memcpy(image, data + 1, len);
	} else {
		image = sound_image(&len);
		for (size_t i = 1; i + 2 < size; i += 3)
			image[(size_t)(data[i] | data[i + 1] << 8) % len] = data[i + 2];
	}
	if (len >= sizeof(struct bh_cfg_head)) {
		struct bh_cfg_head *h = (struct bh_cfg_head *)image;
		h->magic = BH_CFG_MAGIC;
		h->version = BH_CFG_VERSION;
		h->size = len;
		h->check = bh_config_checksum(h, len);
	}
	struct bh_config c;
	if (bh_config_open(&c, image, len) == 0) {
		walk(&c);
		read_settings(&c);
	}
	free(image);
	return 0;
}
