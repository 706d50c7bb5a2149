/* verb_explain.c - one control: what is bound to it and where that is written, what it shows, and why */
#include <errno.h>
#include <string.h>

#include "common/units.h"
#include "supervisor/ctl/direct.h"
#include "supervisor/ctl/explain.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/ctl.h"

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
		return ctl_error(ctl, err.code, err.hint, "%s", err.text);
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
	int r = direct_open(&d, false);
	if (r < 0)
		return ctl_error(ctl, r == -EACCES ? "failed" : "not-running", r == -EACCES ? "it is another user's" : "`bulkhead run` starts it",
				 "%s", r == -EACCES ? "the pipeline cannot be looked into" : "no pipeline runs here");
	int code = explain(ctl, &d.view, argv[0]);
	direct_close(&d);
	return code;
}
