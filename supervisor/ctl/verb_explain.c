/* verb_explain.c - one control: what is bound to it and where that is written, what it shows, and why */
#include <errno.h>
#include <string.h>

#include "common/units.h"
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/explain.h"
#include "supervisor/ctl/output.h"

static int
explain(struct ctl *ctl, const struct bh_view *v, const char *name)
{
	struct bh_view_control c;
	struct bh_wire_error err = {0};
	struct bh_wire_out out;
	struct bh_wire_in in;
	if (!v->config)
		return ctl_error(ctl, "failed", "`bulkhead status`", "the pipeline has no configuration yet");
	if (bh_view_find_control(v, name, &c, &err) < 0)
		return ctl_show_error(ctl, &err);
	bh_wire_out_init(&out);
	explain_control(v, &c, bh_now_ns(), &out);
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
	int code = ctl_look(ctl, &d);
	if (code != CTL_OK)
		return code;
	code = explain(ctl, &d.view, argv[0]);
	direct_close(&d);
	return code;
}
