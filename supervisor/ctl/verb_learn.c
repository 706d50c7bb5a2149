/* verb_learn.c - wait for a hand, and tell which control it moved, what that is bound to, and how to bind it */
#include "common/units.h"
#include "supervisor/ctl/learn.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/watch.h"

#define TIMEOUT_S 30.0

struct learner {
	struct ctl *ctl;
	uint32_t last; /* control told last, and its surface: + 1 */
	bool learned;
};

static bool
learn_ring(const struct bh_view *v, uint16_t from, uint16_t to, int only)
{
	return ctl_role(v, from) == BH_ROLE_SURFACE && ctl_role(v, to) == BH_ROLE_ROUTER && (only < 0 || from == only);
}

static bool
learn_event(const struct bh_event *ev, int only)
{
	(void)only;
	return learn_is_hand(ev);
}

static void
learn_ready(void *data)
{
	const struct learner *l = data;
	if (!l->ctl->json)
		fprintf(stderr, "press a button, move a fader or turn a knob%s\n", l->ctl->all ? "; Ctrl-C ends it" : "");
}

static bool
learn_tell(void *data, const struct bh_view *v, const struct ctl_seen *e)
{
	static struct bh_wire_out out;
	struct learner *l = data;
	struct bh_wire_in in;
	uint32_t which = ((uint32_t)e->from << 16 | (e->ev.id & 0xffff)) + 1;
	if (which == l->last)
		return false; /* the same gesture goes on */
	bh_wire_out_init(&out);
	if (learn_describe(v, e->from, &e->ev, &out) && !out.failed &&
	    bh_wire_in_init(&in, out.data, out.len, BH_WIRE_ANSWER_MAX, NULL) == 0) {
		l->ctl->out->learned(stdout, in.root);
		fflush(stdout);
		bh_wire_in_fini(&in);
		l->last = which;
		l->learned = true;
	}
	bh_wire_out_fini(&out);
	return (l->learned && !l->ctl->all) || ferror(stdout);
}

int
verb_learn(struct ctl *ctl, int argc, char **argv)
{
	struct learner l = {.ctl = ctl};
	double seconds = ctl->timeout >= 0 ? ctl->timeout : ctl->all ? 0 : TIMEOUT_S;
	const struct ctl_follow f = {.timeout_ms = (uint64_t)(seconds * 1000), .ring = learn_ring, .event = learn_event,
				     .ready = learn_ready, .tell = learn_tell, .data = &l};
	int code = ctl_follow(ctl, argc ? argv[0] : NULL, &f);
	if (code != CTL_OK || l.learned || ctl->all)
		return code;
	return ctl_error(ctl, "timed-out", "`bulkhead status` tells whether the desk is there", "no hand has moved anything");
}
