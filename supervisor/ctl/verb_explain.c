/* verb_explain.c - one control: what is bound to it and where that is written, what it shows, and why */
#include <errno.h>
#include <string.h>

#include "common/units.h"
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/describe.h"
#include "supervisor/ctl/explain.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/tail.h"
#include "supervisor/ctl/watch.h"

/* Was it this control that asked for what was refused? Of a value: whoever wanted it last. */
static bool
is_about(const struct bh_view *v, const struct bh_view_control *c, uint16_t driver, const struct bh_event *ev)
{
	uint32_t origin = ev->total;
	if (ev->kind != BH_EV_DROPPED)
		return false;
	if (ev->v.u[1]) {
		struct bh_rec_param r;
		uint32_t n = bh_view_record(v, driver, ev->id);
		if (n == BH_REC_NONE || !bh_view_state_read(v, n, &r) || r.tag != BH_REC_TAG_PARAM || r.slot != driver)
			return false;
		origin = r.origin;
	}
	return origin == ((uint32_t)c->slot << 16 | c->index);
}

/* The last refusal that the drivers' rings still have. */
static void
find_refusal(const struct direct *d, const struct bh_view_control *c, struct explain_refusal *out)
{
	uint8_t payload[BH_PAYLOAD_MAX];
	struct bh_event ev;
	struct bh_wire_out o;
	struct bh_wire_in in;
	struct tail t;
	size_t len;
	for (unsigned i = 0; i < d->outboxes; i++) {
		uint16_t from = d->outbox[i].head.writer, to = d->outbox[i].head.peer;
		if (ctl_role(&d->view, from) != BH_ROLE_DRIVER || to != BH_SLOT_ROUTER || tail_init(&t, &d->outbox[i], UINT32_MAX) < 0)
			continue;
		while (tail_next(&t, &ev, payload, &len)) {
			if (!is_about(&d->view, c, from, &ev) || ev.stamp_ns < out->stamp_ns)
				continue;
			bh_wire_out_init(&o);
			ctl_describe(&d->view, from, to, &ev, payload, len, &o);
			if (!o.failed && bh_wire_in_init(&in, o.data, o.len, BH_WIRE_ANSWER_MAX, NULL) == 0) {
				bh_wire_get_str(in.root, "words", out->words, sizeof(out->words));
				out->stamp_ns = ev.stamp_ns;
				bh_wire_in_fini(&in);
			}
			bh_wire_out_fini(&o);
		}
	}
}

static int
explain(struct ctl *ctl, const struct direct *d, const char *name)
{
	const struct bh_view *v = &d->view;
	struct explain_refusal refusal = {0};
	struct bh_view_control c;
	struct bh_wire_error err = {0};
	struct bh_wire_out out;
	struct bh_wire_in in;
	if (!v->config)
		return ctl_error(ctl, "failed", "`bulkhead status`", "the pipeline has no configuration yet");
	if (bh_view_find_control(v, name, &c, &err) < 0)
		return ctl_show_error(ctl, &err);
	bh_wire_out_init(&out);
	find_refusal(d, &c, &refusal);
	explain_control(v, &c, &refusal, bh_now_ns(), &out);
	int code = CTL_FAILED;
	if (!out.failed && bh_wire_in_init(&in, out.data, out.len, BH_WIRE_ANSWER_MAX, NULL) == 0) {
		ctl->out->explained(stdout, in.root);
		bh_wire_in_fini(&in);
		code = CTL_OK;
	}
	bh_wire_out_fini(&out);
	return code;
}

int
verb_explain(struct ctl *ctl, int argc, char **argv)
{
	static struct direct d;
	(void)argc;
	int code = ctl_look_at(ctl, &d, true);
	if (code != CTL_OK)
		return code;
	code = explain(ctl, &d, argv[0]);
	direct_close(&d);
	return code;
}
