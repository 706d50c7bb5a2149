/* output_json.c - every answer as JSON, one object on one line */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "supervisor/ctl/output.h"

void
ctl_json_string(FILE *out, const char *s, size_t len)
{
	fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void
put_map(FILE *out, const msgpack_object_map *map)
{
	fputc('{', out);
	for (uint32_t i = 0; i < map->size; i++) {
		if (i)
			fputc(',', out);
		ctl_json_object(out, &map->ptr[i].key);
		fputc(':', out);
		ctl_json_object(out, &map->ptr[i].val);
	}
	fputc('}', out);
}

void
ctl_json_object(FILE *out, const msgpack_object *obj)
{
	switch (obj->type) {
	case MSGPACK_OBJECT_BOOLEAN: fputs(obj->via.boolean ? "true" : "false", out); return;
	case MSGPACK_OBJECT_POSITIVE_INTEGER: fprintf(out, "%" PRIu64, obj->via.u64); return;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER: fprintf(out, "%" PRId64, obj->via.i64); return;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		if (isfinite(obj->via.f64))
			fprintf(out, "%.12g", obj->via.f64);
		else
			fputs("null", out);
		return;
	case MSGPACK_OBJECT_STR: ctl_json_string(out, obj->via.str.ptr, obj->via.str.size); return;
	case MSGPACK_OBJECT_ARRAY:
		fputc('[', out);
		for (uint32_t i = 0; i < obj->via.array.size; i++) {
			if (i)
				fputc(',', out);
			ctl_json_object(out, &obj->via.array.ptr[i]);
		}
		fputc(']', out);
		return;
	case MSGPACK_OBJECT_MAP: put_map(out, &obj->via.map); return;
	case MSGPACK_OBJECT_NIL:
	case MSGPACK_OBJECT_BIN:
	case MSGPACK_OBJECT_EXT: break;
	}
	fputs("null", out);
}

static void
json_line(FILE *out, const msgpack_object *obj)
{
	ctl_json_object(out, obj);
	fputc('\n', out);
	fflush(out);
}

static void
json_error(FILE *out, const char *code, const char *text, const char *hint)
{
	fputs("{\"ok\":false,\"error\":{\"code\":", out);
	ctl_json_string(out, code, strlen(code));
	fputs(",\"text\":", out);
	ctl_json_string(out, text, strlen(text));
	fputs(",\"hint\":", out);
	ctl_json_string(out, hint, strlen(hint));
	fputs("}}\n", out);
}

const struct ctl_writer ctl_json = {
	.status = json_line,
	.pages = json_line,
	.params = json_line,
	.get = json_line,
	.names = json_line,
	.version = json_line,
	.done = json_line,
	.words = json_line,
	.learned = json_line,
	.explained = json_line,
	.latency = json_line,
	.trace = json_line,
	.error = json_error,
};
