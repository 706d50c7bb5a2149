/* Compiled configurations: what the writer wrote the reader finds, and what is damaged nobody believes. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/config/compiled.h"

static uint32_t
str(struct bh_config_writer *w, const char *s)
{
	return bh_config_writer_str(w, s, strlen(s));
}

static void
add_proc(struct bh_config_writer *w, const char *name, const char *kind, uint16_t slot, enum bh_role role)
{
	struct bh_cfg_proc p = {
		.name = str(w, name), .kind = str(w, kind), .binary = str(w, "/usr/libexec/bulkhead/bh-x"),
		.slot = slot, .role = (uint8_t)role, .autostart = 1, .ring_slots = 1024, .params = 256,
		.record_base = 64, .records = 256, .place = {3, 9},
	};
	bh_config_writer_row(w, BH_TAB_PROCS, &p, sizeof(p));
}

static struct bh_cfg_binding
binding(struct bh_config_writer *w, uint16_t page, uint16_t control)
{
	return (struct bh_cfg_binding){
		.page = page, .surface = 4, .control = control, .kind = BH_BIND_VALUE, .driver = 5,
		.target = str(w, "ch1/level"), .place = {10, 5},
	};
}

/* The router's own parameters, a bank, a reaction with a step. */
static void
add_room(struct bh_config_writer *w)
{
	struct bh_cfg_room room[] = {
		{.name = str(w, "page"), .kind = BH_ROOM_PAGE, .type = BH_ENUM, .choices = bh_config_writer_str(w, "Mix\0Talk\0", 9),
		 .choices_len = 9, .count = 2},
		{.name = str(w, "layer/shift"), .kind = BH_ROOM_LAYER, .type = BH_BOOL},
		{.name = str(w, "bank/in"), .kind = BH_ROOM_BANK, .type = BH_INT},
		{.name = str(w, "edge/a"), .kind = BH_ROOM_EDGE, .type = BH_BOOL},
	};
	for (size_t i = 0; i < sizeof(room) / sizeof(*room); i++)
		bh_config_writer_row(w, BH_TAB_ROOM, &room[i], sizeof(room[i]));
	struct bh_cfg_bank bank = {.name = str(w, "in"), .room = 2, .driver = 5, .places = 2, .before = str(w, "ch"),
				   .after = str(w, "/level"), .pins = bh_config_writer_str(w, "\0x\0", 3), .pins_len = 3, .max = 8};
	bh_config_writer_row(w, BH_TAB_BANKS, &bank, sizeof(bank));
	struct bh_cfg_cond when = {.driver = 5, .op = BH_COND_EQ, .target = str(w, "scene"), .with = {.type = BH_TEXT, .text = str(w, "A")}};
	struct bh_cfg_step step = {.kind = BH_STEP_SET, .driver = 5, .target = str(w, "ch1/mute"), .to = {.num = 1, .type = BH_FLOAT},
				   .when = when};
	bh_config_writer_row(w, BH_TAB_STEPS, &step, sizeof(step));
	struct bh_cfg_reaction r = {.when = when, .room = 3, .page = 1, .steps = 1};
	bh_config_writer_row(w, BH_TAB_REACTIONS, &r, sizeof(r));
}

/* A desk with two controls, a driver, two pages and a global binding. */
static struct bh_config_writer *
sample(void)
{
	struct bh_config_writer *w = bh_config_writer_new();
	add_proc(w, "router", "router", BH_SLOT_ROUTER, BH_ROLE_ROUTER);
	add_proc(w, "desk", "surface", 4, BH_ROLE_SURFACE);
	add_proc(w, "loop", "loop", 5, BH_ROLE_DRIVER);
	struct bh_cfg_control c[2] = {{.name = "fader1", .kind = BH_CTL_FADER}, {.name = "f1", .kind = BH_CTL_BUTTON}};
	for (int i = 0; i < 2; i++)
		bh_config_writer_row(w, BH_TAB_CONTROLS, &c[i], sizeof(c[i]));
	struct bh_cfg_surface s = {.slot = 4, .controls = 2, .device = str(w, "x-touch")};
	bh_config_writer_row(w, BH_TAB_SURFACES, &s, sizeof(s));
	struct bh_cfg_page pages[2] = {{.name = str(w, "Mix"), .first = 0, .count = 2, .color = 2},
				       {.name = str(w, "Talk"), .first = 2, .count = 0}};
	for (int i = 0; i < 2; i++)
		bh_config_writer_row(w, BH_TAB_PAGES, &pages[i], sizeof(pages[i]));
	struct bh_cfg_binding b[3] = {binding(w, 0, 0), binding(w, 0, 1), binding(w, BH_PAGE_GLOBAL, 1)};
	b[2].kind = BH_BIND_ACTION;
	b[2].driver = BH_DRIVER_PAGE;
	b[2].args_len = 9;
	b[2].args = bh_config_writer_str(w, "Mix\0Talk\0", 9);
	for (int i = 0; i < 3; i++)
		bh_config_writer_row(w, BH_TAB_BINDINGS, &b[i], sizeof(b[i]));
	add_room(w);
	struct bh_cfg_action a = {.kind = str(w, "loop"), .name = str(w, "scene"), .args = 1, .help = str(w, "go")};
	bh_config_writer_row(w, BH_TAB_ACTIONS, &a, sizeof(a));
	struct bh_cfg_option o = {.key = str(w, "channels"), .text = str(w, "8"), .place = {4, 2}};
	bh_config_writer_row(w, BH_TAB_OPTIONS, &o, sizeof(o));
	return w;
}

static uint8_t *
sample_image(size_t *size)
{
	struct bh_config_writer *w = sample();
	uint8_t *image = bh_config_writer_image(w, "/etc/desk.yaml", 7, size);
	ck_assert_ptr_nonnull(image);
	bh_config_writer_free(w);
	return image;
}

START_TEST(what_was_written_is_read)
{
	struct bh_config_writer *w = sample();
	int fd = bh_config_writer_finish(w, "bulkhead.config", "/etc/desk.yaml", 7);
	ck_assert_int_ge(fd, 0);
	bh_config_writer_free(w);
	struct bh_config c;
	ck_assert_int_eq(bh_config_map(&c, fd), 0);
	close(fd);
	ck_assert_uint_eq(c.head->generation, 7);
	ck_assert_str_eq(bh_config_str(&c, c.head->file_off), "/etc/desk.yaml");
	ck_assert_uint_eq(bh_config_count(&c, BH_TAB_PROCS), 3);
	const struct bh_cfg_proc *p = bh_config_find_proc(&c, "loop");
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->slot, 5);
	ck_assert_uint_eq(p->place.column, 9);
	ck_assert_ptr_eq(bh_config_proc(&c, 5), p);
	ck_assert_ptr_null(bh_config_proc(&c, 6));
	const struct bh_cfg_surface *s = bh_config_surface(&c, 4);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(bh_config_find_control(&c, s, "f1"), 1);
	ck_assert_int_eq(bh_config_find_control(&c, s, "f"), -ENOENT);
	ck_assert_str_eq(bh_config_control(&c, s, 0)->name, "fader1");
	ck_assert_ptr_null(bh_config_control(&c, s, 2));
	const struct bh_cfg_binding *b = bh_config_row(&c, BH_TAB_BINDINGS, 2);
	ck_assert_uint_eq(b->page, BH_PAGE_GLOBAL);
	ck_assert_int_eq(memcmp(bh_config_str(&c, b->args), "Mix\0Talk\0", 9), 0);
	ck_assert_ptr_null(bh_config_row(&c, BH_TAB_BINDINGS, 3));
	ck_assert_str_eq(bh_config_str(&c, bh_config_option(&c, "channels")->text), "8");
	ck_assert_ptr_null(bh_config_option(&c, "channel"));
	ck_assert_str_eq(bh_config_str(&c, 0xffffffff), "");
	bh_config_unmap(&c);
	bh_config_unmap(&c);
	ck_assert_uint_eq(bh_config_count(&c, BH_TAB_PROCS), 0);
}
END_TEST

START_TEST(a_descriptor_that_can_still_change_is_refused)
{
	size_t size;
	uint8_t *image = sample_image(&size);
	int fd = memfd_create("config", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	ck_assert_int_eq(write(fd, image, size), (ssize_t)size);
	struct bh_config c;
	ck_assert_int_eq(bh_config_map(&c, fd), -EPERM);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	ck_assert_int_eq(bh_config_map(&c, fd), -EPERM);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	ck_assert_int_eq(bh_config_map(&c, fd), 0);
	bh_config_unmap(&c);
	close(fd);
	int pipefd[2];
	ck_assert_int_eq(pipe(pipefd), 0);
	ck_assert_int_eq(bh_config_map(&c, pipefd[0]), -EPERM);
	free(image);
}
END_TEST

START_TEST(equal_strings_are_kept_once)
{
	struct bh_config_writer *w = bh_config_writer_new();
	uint32_t first = str(w, "level");
	char name[16];
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "ch%d/level", i);
		str(w, name);
	}
	ck_assert_uint_eq(str(w, "level"), first);
	ck_assert_uint_ne(str(w, "leve"), first);
	ck_assert_uint_eq(str(w, ""), 0);
	bh_config_writer_free(w);
}
END_TEST

/* Read everything there is, following each reference as a process would. */
static uint64_t
walk(const struct bh_config *c)
{
	uint64_t sum = strlen(bh_config_str(c, c->head->file_off));
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *p = bh_config_row(c, BH_TAB_PROCS, i);
		sum += strlen(bh_config_str(c, p->name)) + strlen(bh_config_str(c, p->binary));
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_SURFACES); i++) {
		const struct bh_cfg_surface *s = bh_config_row(c, BH_TAB_SURFACES, i);
		for (uint32_t k = 0; k < s->controls; k++)
			sum += strlen(bh_config_control(c, s, k)->name);
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_PAGES); i++) {
		const struct bh_cfg_page *p = bh_config_row(c, BH_TAB_PAGES, i);
		for (uint32_t k = 0; k < p->count; k++) {
			const struct bh_cfg_binding *b = bh_config_row(c, BH_TAB_BINDINGS, p->first + k);
			const struct bh_cfg_surface *s = bh_config_surface(c, b->surface);
			sum += strlen(bh_config_control(c, s, b->control)->name);
			for (uint32_t n = 0; n < b->args_len;)
				n += (uint32_t)strlen(bh_config_str(c, b->args + n)) + 1;
		}
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_OPTIONS); i++) {
		const struct bh_cfg_option *o = bh_config_row(c, BH_TAB_OPTIONS, i);
		sum += strlen(bh_config_str(c, o->key)) + strlen(bh_config_str(c, o->text));
	}
	return sum;
}

START_TEST(a_flipped_byte_is_noticed)
{
	size_t size;
	uint8_t *image = sample_image(&size);
	struct bh_config c;
	for (size_t i = 0; i < size; i++) {
		image[i] ^= 0xff;
		ck_assert_msg(bh_config_open(&c, image, size) == -EPROTO, "byte %zu", i);
		ck_assert_ptr_null(c.head);
		image[i] ^= 0xff;
	}
	ck_assert_int_eq(bh_config_open(&c, image, size), 0);
	free(image);
}
END_TEST

/* With the check sum put right nothing but the checks of the tables stands between a wrong number and its reader. */
START_TEST(a_forged_byte_never_leads_outside)
{
	size_t size;
	uint8_t *image = sample_image(&size);
	struct bh_cfg_head *h = (struct bh_cfg_head *)image;
	static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x7f};
	unsigned refused = 0, accepted = 0;
	for (size_t i = 0; i < size; i++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			struct bh_config c;
			/* In memory of exactly its size, so that the sanitizer sees every step outside. */
			image[i] ^= flips[k];
			h->check = bh_config_checksum(h, size);
			if (bh_config_open(&c, image, size) == 0) {
				walk(&c);
				accepted++;
			} else {
				refused++;
			}
			image[i] ^= flips[k];
		}
	}
	ck_assert_uint_gt(refused, 100);
	ck_assert_uint_gt(accepted, 100);
	free(image);
}
END_TEST

static int
open_with(void (*forge)(struct bh_cfg_head *h))
{
	size_t size;
	uint8_t *image = sample_image(&size);
	struct bh_cfg_head *h = (struct bh_cfg_head *)image;
	struct bh_config c;
	forge(h);
	h->check = bh_config_checksum(h, size);
	int r = bh_config_open(&c, image, size);
	free(image);
	return r;
}

#define ROW(h, tab, type) ((type *)((uint8_t *)(h) + (h)->table[tab].off))

static void
forge_nothing(struct bh_cfg_head *h)
{
	(void)h;
}
static void
forge_count(struct bh_cfg_head *h)
{
	h->table[BH_TAB_BINDINGS].count = 0xffffffff;
}
static void
forge_offset(struct bh_cfg_head *h)
{
	h->table[BH_TAB_PROCS].off = 0xfffffff8;
}
static void
forge_stride(struct bh_cfg_head *h)
{
	h->table[BH_TAB_PROCS].stride = 8;
}
static void
forge_strings(struct bh_cfg_head *h)
{
	h->strings_len += 1;
}
static void
forge_unterminated(struct bh_cfg_head *h)
{
	h->strings_len -= 1;
}
static void
forge_control(struct bh_cfg_head *h)
{
	ROW(h, BH_TAB_BINDINGS, struct bh_cfg_binding)->control = 2;
}
static void
forge_driver(struct bh_cfg_head *h)
{
	ROW(h, BH_TAB_BINDINGS, struct bh_cfg_binding)->driver = 4;
}
static void
forge_page(struct bh_cfg_head *h)
{
	ROW(h, BH_TAB_PAGES, struct bh_cfg_page)->count = 3;
}
static void
forge_slot(struct bh_cfg_head *h)
{
	ROW(h, BH_TAB_PROCS, struct bh_cfg_proc)->slot = BH_MAX_SLOTS;
}
static void
forge_twin(struct bh_cfg_head *h)
{
	ROW(h, BH_TAB_PROCS, struct bh_cfg_proc)->slot = 5;
}
static void
forge_name(struct bh_cfg_head *h)
{
	memset(ROW(h, BH_TAB_CONTROLS, struct bh_cfg_control)->name, 'x', 24);
}
static void
forge_args(struct bh_cfg_head *h)
{
	ROW(h, BH_TAB_BINDINGS, struct bh_cfg_binding)[2].args_len = 0x7fffffff;
}
static void
forge_nan(struct bh_cfg_head *h)
{
	ROW(h, BH_TAB_BINDINGS, struct bh_cfg_binding)->min = __builtin_nan("");
}
static void
forge_controls(struct bh_cfg_head *h)
{
	ROW(h, BH_TAB_SURFACES, struct bh_cfg_surface)->first_control = 1;
}

#define FORGE(name, table, type, what)                                                              \
	static void forge_##name(struct bh_cfg_head *h)                                            \
	{                                                                                          \
		type *row = ROW(h, table, type);                                                   \
		what;                                                                              \
	}
FORGE(layer, BH_TAB_BINDINGS, struct bh_cfg_binding, row->layer = 5)
FORGE(bank_of, BH_TAB_BINDINGS, struct bh_cfg_binding, row->bank = 2)
FORGE(part, BH_TAB_BINDINGS, struct bh_cfg_binding, row->part = BH_PART_COUNT)
FORGE(effect, BH_TAB_BINDINGS, struct bh_cfg_binding, row->effect = BH_FX_COUNT)
FORGE(also, BH_TAB_BINDINGS, struct bh_cfg_binding, (row->step_first = 1, row->steps = 1))
FORGE(choices, BH_TAB_BINDINGS, struct bh_cfg_binding, row->choices_len = 0x7fffffff)
FORGE(when, BH_TAB_BINDINGS, struct bh_cfg_binding, (row->when.op = BH_COND_ON, row->when.driver = 4))
FORGE(curve, BH_TAB_BINDINGS, struct bh_cfg_binding, row->curve = __builtin_inf())
FORGE(circle, BH_TAB_PAGES, struct bh_cfg_page, (row[0].inherit = 2, row[1].inherit = 1))
FORGE(no_page, BH_TAB_PAGES, struct bh_cfg_page, row->inherit = 3)
FORGE(group, BH_TAB_SURFACES, struct bh_cfg_surface, row->page_room = 1)
FORGE(no_group, BH_TAB_SURFACES, struct bh_cfg_surface, row->page_room = 9)
FORGE(step_kind, BH_TAB_STEPS, struct bh_cfg_step, row->kind = BH_STEP_KIND_COUNT)
FORGE(step_args, BH_TAB_STEPS, struct bh_cfg_step, (row->args = 1, row->args_len = 0xfffffff0))
FORGE(step_cond, BH_TAB_STEPS, struct bh_cfg_step, row->when.op = BH_COND_COUNT)
FORGE(step_value, BH_TAB_STEPS, struct bh_cfg_step, row->to.type = BH_ENUM)
FORGE(reaction_room, BH_TAB_REACTIONS, struct bh_cfg_reaction, row->room = 4)
FORGE(reaction_steps, BH_TAB_REACTIONS, struct bh_cfg_reaction, row->steps = 2)
FORGE(reaction_else, BH_TAB_REACTIONS, struct bh_cfg_reaction, (row->else_first = 0xffffffff, row->else_steps = 1))
FORGE(reaction_page, BH_TAB_REACTIONS, struct bh_cfg_reaction, row->page = 2)
FORGE(bank_room, BH_TAB_BANKS, struct bh_cfg_bank, row->room = 4)
FORGE(bank_pins, BH_TAB_BANKS, struct bh_cfg_bank, row->places = 3)
FORGE(bank_max, BH_TAB_BANKS, struct bh_cfg_bank, row->max = BH_MAX_PARAMS + 1)
FORGE(room_kind, BH_TAB_ROOM, struct bh_cfg_room, row->kind = BH_ROOM_KIND_COUNT)
FORGE(room_count, BH_TAB_ROOM, struct bh_cfg_room, row->count = 3)
FORGE(room_bank, BH_TAB_ROOM, struct bh_cfg_room, row[2].ref = 1)

START_TEST(numbers_that_lead_outside_are_refused)
{
	static void (*const forgeries[])(struct bh_cfg_head *) = {
		forge_count, forge_offset, forge_stride, forge_strings, forge_unterminated, forge_control, forge_driver,
		forge_page, forge_slot, forge_twin, forge_name, forge_args, forge_nan, forge_controls, forge_layer, forge_bank_of,
		forge_part, forge_effect, forge_also, forge_choices, forge_when, forge_curve, forge_circle, forge_no_page,
		forge_group, forge_no_group, forge_step_kind, forge_step_args, forge_step_cond, forge_step_value,
		forge_reaction_room, forge_reaction_steps, forge_reaction_else, forge_reaction_page, forge_bank_room,
		forge_bank_pins, forge_bank_max, forge_room_kind, forge_room_count, forge_room_bank,
	};
	ck_assert_int_eq(open_with(forge_nothing), 0);
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++)
		ck_assert_msg(open_with(forgeries[i]) == -EPROTO, "forgery %zu", i);
}
END_TEST

START_TEST(a_short_image_is_refused)
{
	size_t size;
	uint8_t *image = sample_image(&size);
	for (size_t n = 0; n < size; n += 8) {
		uint8_t *cut = malloc(n + 8);
		memcpy(cut, image, n);
		struct bh_config c;
		ck_assert_int_eq(bh_config_open(&c, cut, n), -EPROTO);
		free(cut);
	}
	free(image);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("compiled");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_was_written_is_read);
	tcase_add_test(t, a_descriptor_that_can_still_change_is_refused);
	tcase_add_test(t, equal_strings_are_kept_once);
	tcase_add_test(t, a_flipped_byte_is_noticed);
	tcase_add_test(t, a_forged_byte_never_leads_outside);
	tcase_add_test(t, numbers_that_lead_outside_are_refused);
	tcase_add_test(t, a_short_image_is_refused);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
