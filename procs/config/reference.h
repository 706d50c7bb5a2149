/* reference.h - the tables as text for people: the reference of the configuration, and every key with its default */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "procs/config/catalog.h"

/* Markdown: sections of the file, keys of each kind, kinds of binding, devices. */
void print_reference(struct catalog *c, FILE *out);
/* A JSON Schema (draft 7) of the configuration, for editors. */
void print_schema(struct catalog *c, FILE *out);
/* YAML with comments: the keys of one kind, or of all (NULL). false: there is no such kind, which is said on stderr. */
bool print_defaults(struct catalog *c, const char *kind, FILE *out);
