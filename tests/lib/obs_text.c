/* obs_text.c - see obs_text.h */
#include "tests/lib/obs_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/must.h"

enum { DEPTH_MAX = 64, TEXT_MAX = 4096 };

static int pack_value(msgpack_packer *pk, const char **at, unsigned depth);

static void
skip_space(const char **at)
{
	*at += strspn(*at, " \t\r\n");
}

static size_t
put_utf8(char *to, unsigned code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	to[0] = (char)(0xe0 | code >> 12);
	to[1] = (char)(0x80 | (code >> 6 & 0x3f));
	to[2] = (char)(0x80 | (code & 0x3f));
	return 3;
}

/* What stands behind a backslash; returns the bytes written, 0 if it is not known. */
static size_t
put_escape(char *to, const char **at)
{
	static const char from[] = "\"'\\/bfnrt", is[] = "\"'\\/\b\f\n\r\t";
	unsigned code;
	if (**at == 'u' && sscanf(*at + 1, "%4x", &code) == 1 && strnlen(*at, 5) == 5) {
		*at += 5;
		return put_utf8(to, code);
	}
	const char *hit = **at ? strchr(from, **at) : NULL;
	if (!hit)
		return 0;
	*to = is[hit - from];
	++*at;
	return 1;
}

static int
pack_string(msgpack_packer *pk, const char **at)
{
	char text[TEXT_MAX], quote = *(*at)++;
	size_t len = 0;
	while (**at != quote) {
		if (!**at || len > sizeof(text) - 4)
			return -EINVAL;
		if (**at != '\\') {
			text[len++] = *(*at)++;
			continue;
		}
		++*at;
		size_t n = put_escape(text + len, at);
		if (!n)
			return -EINVAL;
		len += n;
	}
	++*at;
	msgpack_pack_str_with_body(pk, text, len);
	return 0;
}

static int
pack_number(msgpack_packer *pk, const char **at)
{
	size_t len = strspn(*at, "+-0123456789.eE");
	char *end;
	if (!len)
		return -EINVAL;
	if (strcspn(*at, ".eE") < len)
		msgpack_pack_double(pk, strtod(*at, &end));
	else
		msgpack_pack_int64(pk, strtoll(*at, &end, 10));
	bool whole = end == *at + len;
	*at = end;
	return whole ? 0 : -EINVAL;
}

/* How many members the list at `at` has, which stands behind its opening bracket; -EINVAL if it does not end. */
static int
count_members(const char *at)
{
	int depth = 0, members = 0;
	bool any = false;
	for (; *at; at++) {
		if (*at == '"' || *at == '\'') {
			const char quote = *at++;
			for (; *at && *at != quote; at++)
				at += *at == '\\' && at[1];
			if (!*at)
				return -EINVAL;
			any = true;
		} else if (*at == '[' || *at == '{') {
			depth++;
			any = true;
		} else if (*at == ']' || *at == '}') {
			if (depth-- == 0)
				return any ? members + 1 : 0;
		} else if (*at == ',' && depth == 0) {
			members++;
		} else if (!strchr(" \t\r\n", *at)) {
			any = true;
		}
	}
	return -EINVAL;
}

static int
pack_list(msgpack_packer *pk, const char **at, unsigned depth)
{
	const bool map = *(*at)++ == '{';
	int n = depth < DEPTH_MAX ? count_members(*at) : -EINVAL, r = n < 0 ? n : 0;
	if (r == 0 && map)
		msgpack_pack_map(pk, (size_t)n);
	else if (r == 0)
		msgpack_pack_array(pk, (size_t)n);
	for (int i = 0; i < n && r == 0; i++) {
		if (i > 0 && *(*at)++ != ',')
			return -EINVAL;
		if (map) {
			skip_space(at);
			r = **at == '"' || **at == '\'' ? pack_string(pk, at) : -EINVAL;
			skip_space(at);
			if (r < 0 || *(*at)++ != ':')
				return -EINVAL;
		}
		r = pack_value(pk, at, depth + 1);
		skip_space(at);
	}
	skip_space(at);
	if (r == 0 && *(*at)++ != (map ? '}' : ']'))
		r = -EINVAL;
	return r;
}

static bool
skip_word(const char **at, const char *word)
{
	if (strncmp(*at, word, strlen(word)) != 0)
		return false;
	*at += strlen(word);
	return true;
}

static int
pack_value(msgpack_packer *pk, const char **at, unsigned depth)
{
	skip_space(at);
	if (**at == '{' || **at == '[')
		return pack_list(pk, at, depth);
	if (**at == '"' || **at == '\'')
		return pack_string(pk, at);
	if (skip_word(at, "true"))
		msgpack_pack_true(pk);
	else if (skip_word(at, "false"))
		msgpack_pack_false(pk);
	else if (skip_word(at, "null"))
		msgpack_pack_nil(pk);
	else
		return pack_number(pk, at);
	return 0;
}

int
obs_text_pack(msgpack_packer *pk, const char *text)
{
	int r = pack_value(pk, &text, 0);
	skip_space(&text);
	return r == 0 && *text ? -EINVAL : r;
}

/* ------------------------------------------------------------------ and back */

static void
print_string(FILE *f, const char *at, size_t len)
{
	fputc('"', f);
	for (; len; len--, at++) {
		if (*at == '"' || *at == '\\')
			fprintf(f, "\\%c", *at);
		else if ((unsigned char)*at < 0x20)
			fprintf(f, "\\u%04x", *at);
		else
			fputc(*at, f);
	}
	fputc('"', f);
}

static void
print_value(FILE *f, const msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL: fputs("null", f); return;
	case MSGPACK_OBJECT_BOOLEAN: fputs(o->via.boolean ? "true" : "false", f); return;
	case MSGPACK_OBJECT_POSITIVE_INTEGER: fprintf(f, "%" PRIu64, o->via.u64); return;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER: fprintf(f, "%" PRIi64, o->via.i64); return;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		/* With a point, so that it is read as the float that it is. */
		fprintf(f, o->via.f64 == floor(o->via.f64) && fabs(o->via.f64) < 1e15 ? "%.1f" : "%.17g", o->via.f64);
		return;
	case MSGPACK_OBJECT_STR: print_string(f, o->via.str.ptr, o->via.str.size); return;
	case MSGPACK_OBJECT_BIN: fprintf(f, "\"(%u bytes)\"", o->via.bin.size); return;
	case MSGPACK_OBJECT_EXT: fprintf(f, "\"(extension %d)\"", o->via.ext.type); return;
	case MSGPACK_OBJECT_ARRAY:
		for (uint32_t i = 0; i < o->via.array.size; i++) {
			fputc(i ? ',' : '[', f);
			print_value(f, &o->via.array.ptr[i]);
		}
		fputs(o->via.array.size ? "]" : "[]", f);
		return;
	case MSGPACK_OBJECT_MAP:
		for (uint32_t i = 0; i < o->via.map.size; i++) {
			fputc(i ? ',' : '{', f);
			print_value(f, &o->via.map.ptr[i].key);
			fputc(':', f);
			print_value(f, &o->via.map.ptr[i].val);
		}
		fputs(o->via.map.size ? "}" : "{}", f);
		return;
	}
}

void
obs_text_buffer(msgpack_sbuffer *buf, const char *text)
{
	msgpack_packer pk;
	msgpack_sbuffer_init(buf);
	msgpack_packer_init(&pk, buf, msgpack_sbuffer_write);
	must(obs_text_pack(&pk, text) == 0, "not a value: %s", text);
}

static void
hash(char out[static 64], const char *a, const char *b)
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	char text[512];
	snprintf(text, sizeof(text), "%s%s", a, b);
	crypto_hash_sha256(digest, (const uint8_t *)text, strlen(text));
	sodium_bin2base64(out, 64, digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
}

void
obs_text_answer(char out[static 64], const char *password, const char *salt, const char *challenge)
{
	char secret[64];
	hash(secret, password, salt);
	hash(out, secret, challenge);
}

char *
obs_text_print(char *buf, size_t cap, const msgpack_object *o)
{
	char *all = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&all, &len);
	if (f) {
		print_value(f, o);
		fclose(f);
	}
	snprintf(buf, cap, "%s", all ? all : "");
	free(all);
	return buf;
}

/* ------------------------------------------------------------------ within a value */

static const msgpack_object *
member(const msgpack_object *o, const char *name, size_t len)
{
	if (o->type == MSGPACK_OBJECT_ARRAY) {
		uint32_t i = (uint32_t)strtoul(name, NULL, 10);
		return i < o->via.array.size ? &o->via.array.ptr[i] : NULL;
	}
	for (uint32_t i = 0; o->type == MSGPACK_OBJECT_MAP && i < o->via.map.size; i++) {
		const msgpack_object *key = &o->via.map.ptr[i].key;
		if (key->type == MSGPACK_OBJECT_STR && key->via.str.size == len && !memcmp(key->via.str.ptr, name, len))
			return &o->via.map.ptr[i].val;
	}
	return NULL;
}

const msgpack_object *
obs_at(const msgpack_object *o, const char *path)
{
	static const msgpack_object nil = {.type = MSGPACK_OBJECT_NIL};
	while (o && *path) {
		size_t len = strcspn(path, "/");
		o = member(o, path, len);
		path += len + (path[len] == '/');
	}
	return o ? o : &nil;
}

bool
obs_has(const msgpack_object *o, const char *path)
{
	return obs_at(o, path)->type != MSGPACK_OBJECT_NIL;
}

double
obs_number(const msgpack_object *o, const char *path)
{
	const msgpack_object *v = obs_at(o, path);
	if (v->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		return (double)v->via.u64;
	if (v->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return (double)v->via.i64;
	return v->type == MSGPACK_OBJECT_FLOAT64 || v->type == MSGPACK_OBJECT_FLOAT32 ? v->via.f64 : (double)NAN;
}

const char *
obs_string(const msgpack_object *o, const char *path)
{
	static _Thread_local char text[16][512];
	static _Thread_local unsigned next;
	const msgpack_object *v = obs_at(o, path);
	if (v->type != MSGPACK_OBJECT_STR)
		return "";
	char *to = text[next++ % 16];
	snprintf(to, sizeof(text[0]), "%.*s", (int)v->via.str.size, v->via.str.ptr);
	return to;
}

bool
obs_is(const msgpack_object *o, const char *path, const char *text)
{
	const msgpack_object *v = obs_at(o, path);
	return v->type == MSGPACK_OBJECT_STR && v->via.str.size == strlen(text) && !memcmp(v->via.str.ptr, text, v->via.str.size);
}

bool
obs_true(const msgpack_object *o, const char *path)
{
	const msgpack_object *v = obs_at(o, path);
	return v->type == MSGPACK_OBJECT_BOOLEAN && v->via.boolean;
}
