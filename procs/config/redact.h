/*
 * redact.h - the text of a configuration without its secrets
 *
 * The values of all keys that are secret in any kind of process become "***", wherever they stand; what a comment says behind such a
 * key, too. Everything else stays as it is, byte for byte.
 */
#pragma once

#include "procs/config/catalog.h"

/* 0; -EINVAL: it cannot be parsed (see the report), so nothing was printed, for nobody knows where its secrets are. */
int redact(const struct catalog *c, struct arena *arena, struct report *report, const struct source *src, FILE *out);
