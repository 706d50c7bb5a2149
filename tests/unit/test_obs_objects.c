/* The store of OBS's objects and the parameters that stand for them: paths, ids over renames, what is removed with what. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/obs/model_int.h"
#include "procs/obs/settings.h"

#define PARAMS 512u

/* A directory that keeps the rules of the real one: the same name the same id, two never the same name. */
static struct {
	char name[BH_NAME_MAX + 1];
	bool live;
	struct bh_value value;
	double min, max;
	int choices;
} dir[PARAMS];
static uint32_t dir_used, dir_cap, notes;
static char last_note[512];

static int64_t
dir_find(const char *name)
{
	for (uint32_t k = 0; k < dir_used; k++)
		if (dir[k].live && !strcmp(dir[k].name, name))
			return k;
	return -ENOENT;
}

static void
dir_put(uint32_t id, const struct bh_param *p)
{
	ck_assert_uint_le(strlen(p->name), BH_NAME_MAX);
	ck_assert(p->name[0]);
	snprintf(dir[id].name, sizeof(dir[id].name), "%s", p->name);
	dir[id].live = true;
	dir[id].min = p->min;
	dir[id].max = p->max;
	for (dir[id].choices = 0; p->choices && p->choices[dir[id].choices]; dir[id].choices++)
		;
}

static int64_t
on_add(void *ctx, const struct bh_param *p)
{
	int64_t id = dir_find(p->name);
	(void)ctx;
	for (uint32_t k = 0; id < 0 && k < dir_used; k++)
		if (!dir[k].live)
			id = k;
	if (id < 0 && dir_used < dir_cap)
		id = dir_used++;
	if (id < 0)
		return -ENOSPC;
	if (!dir[id].live)
		dir[id].value.type = BH_NONE;
	dir_put((uint32_t)id, p);
	return id;
}

static int
on_remove(void *ctx, bh_param_id id)
{
	(void)ctx;
	ck_assert(id < dir_used && dir[id].live);
	dir[id].live = false;
	return 0;
}

static int
on_rename(void *ctx, bh_param_id id, const struct bh_param *p)
{
	(void)ctx;
	ck_assert(id < dir_used && dir[id].live);
	int64_t other = dir_find(p->name);
	ck_assert_msg(other < 0 || other == id, "%s is there twice", p->name);
	dir_put(id, p);
	return 0;
}

static int
on_report(void *ctx, bh_param_id id, struct bh_value v)
{
	(void)ctx;
	ck_assert(id < dir_used && dir[id].live);
	dir[id].value = v;
	return 0;
}

static void
on_note(void *ctx, const char *text)
{
	(void)ctx;
	notes++;
	snprintf(last_note, sizeof(last_note), "%s", text);
}

static int
on_encode(void *data, uint32_t param, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	(void)data, (void)param, (void)id, (void)o, (void)ask;
	ck_abort_msg("nothing is sent here");
}

static const struct obs_sink sink = {.add = on_add, .remove = on_remove, .rename = on_rename, .report = on_report, .note = on_note};
static struct obs_config cfg = {.transforms = true, .settings = true};
static struct obs_model *m;

static void
list_init(struct obs_list *l)
{
	l->name = calloc(OBS_CHOICES_MAX, sizeof(*l->name));
}

static void
begin(void)
{
	m = calloc(1, sizeof(*m));
	m->cfg = &cfg;
	m->sink = &sink;
	m->params = PARAMS;
	m->queue = obs_queue_new(PARAMS, on_encode, NULL);
	m->object = calloc(OBS_OBJECTS_MAX, sizeof(*m->object));
	m->transform = calloc(OBS_OBJECTS_MAX, sizeof(*m->transform));
	m->of_param = calloc(PARAMS, sizeof(*m->of_param));
	m->wanted = calloc(PARAMS, sizeof(*m->wanted));
	m->value = calloc(PARAMS, sizeof(*m->value));
	list_init(&m->scenes);
	list_init(&m->transitions);
	list_init(&m->profiles);
	list_init(&m->collections);
	m->now_ns = 1;
	dir_cap = PARAMS;
	obs_store_init(m);
	obs_publish(m, 0);
}

static void
end(void)
{
	obs_queue_free(m->queue);
	free(m->object);
	free(m->transform);
	free(m->of_param);
	free(m->wanted);
	free(m->value);
	free(m->scenes.name);
	free(m->transitions.name);
	free(m->profiles.name);
	free(m->collections.name);
	free(m);
}

static uint32_t
add(enum obs_class cls, uint32_t parent, const char *name)
{
	uint32_t n = obs_add(m, cls, parent, name);
	ck_assert_uint_ne(n, OBS_NONE);
	m->object[n].audio = cls == OBS_INPUT;
	obs_publish(m, n);
	return n;
}

static uint32_t
add_item(uint32_t scene, uint32_t source, int64_t id, unsigned number)
{
	char name[OBS_NAME_MAX + 1];
	snprintf(name, sizeof(name), number > 1 ? "%.240s#%u" : "%.240s", m->object[source].name, number);
	uint32_t n = add(OBS_ITEM, scene, name);
	m->object[n].source = source;
	m->object[n].id = id;
	m->object[n].number = (uint8_t)number;
	return n;
}

START_TEST(every_kind_has_a_row_that_fits_its_class)
{
	for (unsigned k = 0; k < OBS_KINDS; k++) {
		const struct obs_kind_row *r = &obs_kinds[k];
		ck_assert_msg(r->name && r->help, "kind %u has no row", k);
		ck_assert_int_ne(r->type, BH_NONE);
		ck_assert(k >= obs_class_first(r->cls) && k < obs_class_first(r->cls + 1));
		ck_assert_uint_lt(k - obs_class_first(r->cls), OBS_CLASS_KINDS);
		ck_assert(r->set <= OBS_REQ_COUNT && r->get <= OBS_REQ_COUNT);
		ck_assert_msg(!(r->access & BH_ACCESS_WRITE) || r->set != OBS_REQ_COUNT || r->cls == OBS_PTZ, "%s cannot be set", r->name);
		ck_assert_msg(r->access & BH_ACCESS_WRITE || r->set == OBS_REQ_COUNT, "%s is not to be set", r->name);
		for (unsigned j = obs_class_first(r->cls); j < k; j++)
			ck_assert_str_ne(obs_kinds[j].name, r->name);
		ck_assert_uint_lt(strlen(r->unit ? r->unit : ""), 12);
	}
}
END_TEST

START_TEST(parameters_are_called_after_their_objects)
{
	begin();
	uint32_t mic = add(OBS_INPUT, OBS_NONE, "Mic"), wide = add(OBS_SCENE, OBS_NONE, "Wide");
	uint32_t gain = add(OBS_FILTER, mic, "Gain");
	add(OBS_SETTING, gain, "db");
	add_item(wide, mic, 7, 1);
	static const char *const there[] = {"studio-mode", "stream/state", "input/Mic/volume", "input/Mic/track6", "scene/Wide/tally",
					    "scene/Wide/item/Mic/visible", "scene/Wide/item/Mic/crop-left",
					    "input/Mic/filter/Gain/enabled", "input/Mic/filter/Gain/db"};
	for (size_t k = 0; k < BH_ARRAY_LEN(there); k++)
		ck_assert_msg(dir_find(there[k]) >= 0, "%s", there[k]);
	ck_assert_int_lt(dir_find("input/Mic/media/state"), 0);
	ck_assert_int_lt(dir_find("program"), 0); /* no list yet */
	ck_assert_uint_eq(notes, 0);
	end();
}
END_TEST

START_TEST(an_input_without_audio_has_no_volume)
{
	begin();
	uint32_t n = add(OBS_INPUT, OBS_NONE, "Red");
	m->object[n].audio = false;
	m->object[n].media = true;
	obs_publish(m, n);
	ck_assert_int_lt(dir_find("input/Red/volume"), 0);
	ck_assert_int_ge(dir_find("input/Red/tally"), 0);
	ck_assert_int_ge(dir_find("input/Red/media/cursor"), 0);
	ck_assert_uint_eq(obs_param(m, n, OBS_K_VOLUME), OBS_NONE);
	end();
}
END_TEST

START_TEST(a_renamed_input_keeps_all_ids_below_it_and_in_scenes)
{
	begin();
	uint32_t mic = add(OBS_INPUT, OBS_NONE, "Mic"), wide = add(OBS_SCENE, OBS_NONE, "Wide");
	uint32_t db = add(OBS_SETTING, add(OBS_FILTER, mic, "Gain"), "db");
	uint32_t a = add_item(wide, mic, 1, 1), b = add_item(wide, mic, 2, 2);
	uint32_t ids[] = {obs_param(m, mic, OBS_K_VOLUME), obs_param(m, db, OBS_K_SETTING), obs_param(m, a, OBS_K_ITEM_X),
			  obs_param(m, b, OBS_K_ITEM_X)};
	ck_assert_int_ge(dir_find("scene/Wide/item/Mic#2/x"), 0);
	obs_rename(m, mic, "Host");
	ck_assert_int_eq(dir_find("input/Host/volume"), ids[0]);
	ck_assert_int_eq(dir_find("input/Host/filter/Gain/db"), ids[1]);
	ck_assert_int_eq(dir_find("scene/Wide/item/Host/x"), ids[2]);
	ck_assert_int_eq(dir_find("scene/Wide/item/Host#2/x"), ids[3]);
	ck_assert_int_lt(dir_find("input/Mic/volume"), 0);
	ck_assert_uint_eq(obs_find(m, OBS_INPUT, OBS_NONE, "Host"), mic);
	ck_assert_uint_eq(obs_find(m, OBS_INPUT, OBS_NONE, "Mic"), OBS_NONE);
	obs_rename(m, wide, "Total");
	ck_assert_int_eq(dir_find("scene/Total/item/Host#2/x"), ids[3]);
	end();
}
END_TEST

START_TEST(two_names_can_be_exchanged)
{
	begin();
	uint32_t a = add(OBS_INPUT, OBS_NONE, "A"), b = add(OBS_INPUT, OBS_NONE, "B");
	uint32_t pa = obs_param(m, a, OBS_K_MUTE), pb = obs_param(m, b, OBS_K_MUTE);
	obs_rename(m, a, "tmp");
	obs_rename(m, b, "A");
	obs_rename(m, a, "B");
	ck_assert_int_eq(dir_find("input/A/mute"), pb);
	ck_assert_int_eq(dir_find("input/B/mute"), pa);
	end();
}
END_TEST

START_TEST(a_removed_object_takes_along_what_belongs_to_it)
{
	begin();
	uint32_t mic = add(OBS_INPUT, OBS_NONE, "Mic"), wide = add(OBS_SCENE, OBS_NONE, "Wide");
	uint32_t before = dir_used, objects = m->objects, live = 0;
	for (uint32_t k = 0; k < dir_used; k++)
		live += dir[k].live;
	uint32_t red = add(OBS_INPUT, OBS_NONE, "Red");
	add(OBS_SETTING, add(OBS_FILTER, red, "Gain"), "db");
	add_item(wide, red, 1, 1);
	uint32_t kept = add_item(wide, mic, 2, 1);
	obs_remove(m, red);
	uint32_t now = 0;
	for (uint32_t k = 0; k < dir_used; k++)
		now += dir[k].live;
	ck_assert_uint_eq(now, live + 12); /* the other item's */
	ck_assert(m->object[kept].used);
	ck_assert_uint_gt(dir_used, before);
	/* Its places are taken again. */
	for (int k = 0; k < 3; k++)
		add(OBS_INPUT, OBS_NONE, (const char *[]){"x", "y", "z"}[k]);
	ck_assert_uint_le(m->objects, objects + 5);
	obs_remove(m, 0); /* the room stays */
	ck_assert(m->object[0].used);
	end();
}
END_TEST

START_TEST(odd_names_are_written_so_that_each_path_is_one)
{
	char longer[256];
	begin();
	uint32_t a = add(OBS_INPUT, OBS_NONE, "Cam 1/2"), b = add(OBS_INPUT, OBS_NONE, "Cam 1_2"), c = add(OBS_INPUT, OBS_NONE, "Cam 1_2~2");
	ck_assert_int_eq(dir_find("input/Cam 1_2/mute"), obs_param(m, a, OBS_K_MUTE));
	ck_assert_int_eq(dir_find("input/Cam 1_2~2/mute"), obs_param(m, b, OBS_K_MUTE));
	ck_assert_int_eq(dir_find("input/Cam 1_2~2~2/mute"), obs_param(m, c, OBS_K_MUTE));
	ck_assert_uint_eq(notes, 3);
	ck_assert_ptr_nonnull(strstr(last_note, "Cam 1_2~2"));
	ck_assert_uint_eq(obs_add(m, OBS_INPUT, OBS_NONE, "Cam 1/2"), a);
	ck_assert_uint_eq(notes, 3); /* once */
	add(OBS_INPUT, OBS_NONE, "");
	ck_assert_int_ge(dir_find("input/unnamed/mute"), 0);
	add(OBS_INPUT, OBS_NONE, "two\nlines\x7f");
	ck_assert_int_ge(dir_find("input/two_lines_/mute"), 0);
	/* A setting that is called as the filter's own parameter. */
	uint32_t f = add(OBS_FILTER, a, "F");
	uint32_t s = add(OBS_SETTING, f, "enabled");
	ck_assert_int_eq(dir_find("input/Cam 1_2/filter/F/enabled~2"), obs_param(m, s, OBS_K_SETTING));
	/* Long ones: cut on a character's border, and still two. */
	for (int n = 0; n < 2; n++) {
		memset(longer, 0, sizeof(longer));
		for (int k = 0; k < 60; k++)
			memcpy(longer + 2 * k, "\xc3\xa4", 2);
		longer[120] = (char)('a' + n);
		uint32_t scene = add(OBS_SCENE, OBS_NONE, longer);
		uint32_t item = add_item(scene, add(OBS_INPUT, OBS_NONE, longer), 1, 1);
		ck_assert_uint_ne(obs_param(m, item, OBS_K_ITEM_CROP_BOTTOM), OBS_NONE);
		char path[BH_NAME_MAX + 1];
		obs_path(m, item, OBS_K_ITEM_X, path);
		ck_assert_int_eq(dir_find(path), obs_param(m, item, OBS_K_ITEM_X));
		ck_assert_ptr_nonnull(strchr(path, '~'));
	}
	end();
}
END_TEST

START_TEST(a_full_directory_is_noted_once_and_breaks_nothing)
{
	begin();
	dir_cap = dir_used + 5;
	uint32_t a = add(OBS_INPUT, OBS_NONE, "A"), b = add(OBS_INPUT, OBS_NONE, "B");
	ck_assert_uint_eq(notes, 1);
	ck_assert_ptr_nonnull(strstr(last_note, "no room"));
	obs_tell(m, b, OBS_K_VOLUME, bh_float(-3));
	obs_rename(m, b, "C");
	obs_remove(m, a);
	obs_publish(m, b);
	ck_assert_int_ge(dir_find("input/C/tally"), 0);
	end();
}
END_TEST

START_TEST(a_list_of_names_is_the_choices_of_its_parameters)
{
	begin();
	const char *names[] = {"One", "Two"};
	m->now_ns = 5;
	ck_assert_int_eq(obs_list_set(m, &m->scenes, names, 2), 1);
	obs_publish_choices(m, 0, OBS_K_PROGRAM, &m->scenes);
	obs_publish(m, 0);
	ck_assert_int_eq(dir[dir_find("program")].choices, 2);
	ck_assert_int_eq(dir[dir_find("preview")].choices, 2);
	ck_assert_uint_eq(m->scenes.changed_ns, 5);
	m->now_ns = 6;
	ck_assert_int_eq(obs_list_set(m, &m->scenes, names, 2), 0);
	ck_assert_uint_eq(m->scenes.changed_ns, 5);
	ck_assert_int_eq(obs_list_find(&m->scenes, "Two"), 1);
	ck_assert_int_eq(obs_list_find(&m->scenes, "Three"), -1);
	obs_publish_range(m, 0, OBS_K_TRANSITION_DURATION, 0, 0, 0);
	obs_publish(m, 0); /* keeps it */
	ck_assert_double_eq(dir[dir_find("transition/duration")].max, 0);
	end();
}
END_TEST

START_TEST(what_obs_tells_while_a_hand_moves_is_kept_back)
{
	struct bh_value v;
	begin();
	uint32_t a = add(OBS_INPUT, OBS_NONE, "A"), id = obs_param(m, a, OBS_K_VOLUME);
	ck_assert(!obs_told(m, a, OBS_K_VOLUME, &v));
	obs_tell(m, a, OBS_K_VOLUME, bh_float(-3));
	ck_assert_double_eq(dir[id].value.f, -3);
	obs_queue_value(m->queue, id, 1);
	obs_tell(m, a, OBS_K_VOLUME, bh_float(-9));
	ck_assert_double_eq(dir[id].value.f, -3);
	ck_assert(obs_told(m, a, OBS_K_VOLUME, &v) && v.f == -9); /* it is known */
	ck_assert(m->of_param[id].held && m->held == 1);
	obs_queue_reset(m->queue, NULL);
	obs_tell(m, a, OBS_K_VOLUME, bh_float(-7));
	ck_assert_double_eq(dir[id].value.f, -7);
	ck_assert_uint_eq(m->held, 0);
	obs_tell(m, a, OBS_K_VOLUME, bh_float(0.0 / 0.0));
	ck_assert_double_eq(dir[id].value.f, -7);
	end();
}
END_TEST

START_TEST(an_event_is_newer_than_the_answer_to_what_was_asked_before_it)
{
	begin();
	uint32_t a = add(OBS_INPUT, OBS_NONE, "A"), id = obs_param(m, a, OBS_K_VOLUME);
	m->now_ns = 20;
	m->in_event = true;
	obs_tell(m, a, OBS_K_VOLUME, bh_float(-3));
	m->in_event = false;
	m->result_ns = 10;
	obs_tell(m, a, OBS_K_VOLUME, bh_float(-50));
	ck_assert_double_eq(dir[id].value.f, -3);
	m->result_ns = 21;
	obs_tell(m, a, OBS_K_VOLUME, bh_float(-4));
	ck_assert_double_eq(dir[id].value.f, -4);
	end();
}
END_TEST

START_TEST(what_is_not_seen_again_is_swept)
{
	begin();
	uint32_t a = add(OBS_INPUT, OBS_NONE, "A"), b = add(OBS_INPUT, OBS_NONE, "B");
	uint32_t id = obs_param(m, a, OBS_K_VOLUME);
	add(OBS_FILTER, b, "F");
	obs_unsee(m, OBS_INPUT, OBS_NONE);
	obs_add(m, OBS_INPUT, OBS_NONE, "A");
	obs_sweep(m, OBS_INPUT, OBS_NONE);
	ck_assert_uint_eq(obs_find(m, OBS_INPUT, OBS_NONE, "B"), OBS_NONE);
	ck_assert_int_lt(dir_find("input/B/filter/F/enabled"), 0);
	ck_assert_int_eq(dir_find("input/A/volume"), id);
	end();
}
END_TEST

START_TEST(a_full_store_is_noted_once)
{
	char name[16];
	begin();
	cfg.transforms = false;
	dir_cap = dir_used;
	for (unsigned k = 0; k < OBS_OBJECTS_MAX - 1; k++) {
		snprintf(name, sizeof(name), "S%u", k);
		ck_assert_uint_ne(obs_add(m, OBS_SCENE, OBS_NONE, name), OBS_NONE);
	}
	ck_assert_uint_eq(obs_add(m, OBS_SCENE, OBS_NONE, "more"), OBS_NONE);
	ck_assert_uint_eq(obs_add(m, OBS_SCENE, OBS_NONE, "more"), OBS_NONE);
	ck_assert_uint_eq(notes, 1);
	obs_remove(m, 17);
	ck_assert_uint_eq(obs_add(m, OBS_SCENE, OBS_NONE, "more"), 17);
	end();
}
END_TEST

START_TEST(ranges_of_well_known_filters_are_known_by_all_their_versions)
{
	ck_assert_double_eq(obs_setting_range("gain_filter", "db")->min, -30);
	ck_assert_double_eq(obs_setting_range("color_filter_v2", "opacity")->max, 1);
	ck_assert_double_eq(obs_setting_range("color_filter", "opacity")->max, 100);
	ck_assert_double_eq(obs_setting_range("color_filter_v2", "gamma")->max, 3);
	ck_assert_ptr_null(obs_setting_range("gain_filter", "other"));
	ck_assert_ptr_null(obs_setting_range("v2", "db"));
	ck_assert_ptr_null(obs_setting_range("", ""));
}
END_TEST

/*
 * Anything done in any order: then each object has exactly the parameters of its class, each parameter leads back to its object, no two have
 * the same path, and nothing stands in the directory that belongs to nothing.
 */
static void
check_all(void)
{
	uint32_t params = 0, live = 0;
	for (uint32_t n = 0; n < m->objects; n++) {
		const struct obs_object *o = &m->object[n];
		if (!o->used)
			continue;
		ck_assert_uint_eq(obs_find(m, (enum obs_class)o->cls, o->parent, o->name), n);
		ck_assert(o->parent == OBS_NONE || m->object[o->parent].used);
		for (unsigned k = obs_class_first(o->cls); k < obs_class_first(o->cls + 1); k++) {
			uint32_t id = obs_param(m, n, (enum obs_kind)k);
			char path[BH_NAME_MAX + 1];
			if (id == OBS_NONE)
				continue;
			obs_path(m, n, (enum obs_kind)k, path);
			ck_assert(dir[id].live);
			ck_assert_str_eq(dir[id].name, path);
			ck_assert(m->of_param[id].used && m->of_param[id].object == n && m->of_param[id].kind == k);
			params++;
		}
	}
	for (uint32_t k = 0; k < dir_used; k++)
		live += dir[k].live;
	ck_assert_uint_eq(params, live);
}

static void
random_name(char out[32])
{
	static const char *const names[] = {"A", "B", "a/b", "a_b", "a_b~2", "", "A#2", "unnamed", "enabled",
					    "a long name of thirty-one bytes"};
	snprintf(out, 32, "%s", names[rand() % (int)BH_ARRAY_LEN(names)]);
}

static uint32_t
random_object(enum obs_class cls)
{
	for (int tries = 0; tries < 50; tries++) {
		uint32_t n = (uint32_t)rand() % m->objects;
		if (m->object[n].used && m->object[n].cls == cls)
			return n;
	}
	return OBS_NONE;
}

static void
random_step(void)
{
	char name[32];
	enum obs_class cls = OBS_SCENE + rand() % 5; /* scene .. setting */
	uint32_t parent = OBS_NONE, source = OBS_NONE;
	random_name(name);
	if (rand() % 3 == 0) {
		uint32_t n = random_object(cls);
		if (n != OBS_NONE && rand() % 2 && cls != OBS_ITEM)
			obs_rename(m, n, name);
		else if (n != OBS_NONE)
			obs_remove(m, n);
		return;
	}
	if (cls == OBS_ITEM && ((parent = random_object(OBS_SCENE)) == OBS_NONE || (source = random_object(OBS_INPUT)) == OBS_NONE))
		return;
	if (cls == OBS_FILTER && (parent = random_object(rand() % 2 ? OBS_SCENE : OBS_INPUT)) == OBS_NONE)
		return;
	if (cls == OBS_SETTING && (parent = random_object(OBS_FILTER)) == OBS_NONE)
		return;
	uint32_t n = obs_add(m, cls, parent, cls == OBS_ITEM ? m->object[source].name : name);
	ck_assert_uint_ne(n, OBS_NONE);
	if (cls == OBS_ITEM)
		m->object[n].source = source;
	obs_publish(m, n);
}

START_TEST(whatever_comes_and_goes_parameters_are_objects)
{
	begin();
	srand(4711);
	for (unsigned k = 0; k < 6000; k++) {
		m->now_ns++;
		random_step();
		if (k % 50 == 0)
			check_all();
	}
	check_all();
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obs_objects");
	TCase *tc = tcase_create("objects");
	tcase_add_test(tc, every_kind_has_a_row_that_fits_its_class);
	tcase_add_test(tc, parameters_are_called_after_their_objects);
	tcase_add_test(tc, an_input_without_audio_has_no_volume);
	tcase_add_test(tc, a_renamed_input_keeps_all_ids_below_it_and_in_scenes);
	tcase_add_test(tc, two_names_can_be_exchanged);
	tcase_add_test(tc, a_removed_object_takes_along_what_belongs_to_it);
	tcase_add_test(tc, odd_names_are_written_so_that_each_path_is_one);
	tcase_add_test(tc, a_full_directory_is_noted_once_and_breaks_nothing);
	tcase_add_test(tc, a_list_of_names_is_the_choices_of_its_parameters);
	tcase_add_test(tc, what_obs_tells_while_a_hand_moves_is_kept_back);
	tcase_add_test(tc, an_event_is_newer_than_the_answer_to_what_was_asked_before_it);
	tcase_add_test(tc, what_is_not_seen_again_is_swept);
	tcase_add_test(tc, a_full_store_is_noted_once);
	tcase_add_test(tc, ranges_of_well_known_filters_are_known_by_all_their_versions);
	tcase_add_test(tc, whatever_comes_and_goes_parameters_are_objects);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
