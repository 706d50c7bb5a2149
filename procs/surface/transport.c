/* transport - what the transports share; see transport.h */
#include "procs/surface/transport.h"

#include <string.h>

#include "common/mem.h"

int
transport_init(struct transport *t, const struct transport_ops *ops, const struct transport_config *cfg)
{
	memset(t, 0, sizeof(*t));
	t->ops = ops;
	t->cfg = *cfg;
	t->fd = t->hint_fd = -1;
	return 0;
}

void
transport_fini(struct transport *t)
{
	if (!t->ops)
		return;
	t->ops->close(t);
	if (t->ops->fini)
		t->ops->fini(t);
	bh_close(&t->hint_fd);
	t->ops = NULL;
}

int
transport_matches(const char *pattern, const char *text)
{
	for (int n = 0;; n++) {
		size_t len = strcspn(pattern, "|");
		if (len == 0 || memmem(text, strlen(text), pattern, len))
			return n;
		if (!pattern[len])
			return -1;
		pattern += len + 1;
	}
}
