#include "master/handover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number by name, in one of the three structs. */
struct field {
	const char *name;
	size_t offset;
};

static const struct field of_master[] = {
#define MASTER(name) { #name, offsetof(struct handover, name) },
#include "master/handover.def"
};

static const struct field of_pool[] = {
#define POOL(name) { #name, offsetof(struct handover_pool, name) },
#include "master/handover.def"
};

static const struct field of_process[] = {
#define PROCESS(name) { #name, offsetof(struct handover_process, name) },
#include "master/handover.def"
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int64_t
number_get(const void *of, const struct field *f)
{
	int64_t n;

	memcpy(&n, (const char *)of + f->offset, sizeof(n));
	return n;
}

static void
number_set(void *of, const struct field *f, int64_t n)
{
	memcpy((char *)of + f->offset, &n, sizeof(n));
}

/* --- the lists --------------------------------------------------------- */

struct handover *
handover_new(void)
{
	struct handover *h = calloc(1, sizeof(*h));

	if (h != NULL)
		h->board_fd = h->control_fd = h->client_fd = -1;
	return h;
}

void
handover_free(struct handover *h)
{
	size_t i;

	if (h == NULL)
		return;
	for (i = 0; i < h->pools; i++) {
		free(h->pool[i].listener);
		free(h->pool[i].process);
		buf_fini(&h->pool[i].settings);
	}
	free(h);
}

struct handover_pool *
handover_pool_add(struct handover *h, const char *name)
{
	struct handover_pool *p = &h->pool[h->pools];

	if (h->pools == RFK_POOLS_MAX || strlen(name) >= sizeof(p->name))
		return NULL;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->state_fd = -1;
	h->pools++;
	return p;
}

/* One more, zeroed, behind n of that size. */
static void *
grown(void **list, size_t n, size_t max, size_t size)
{
	char *more = n < max ? realloc(*list, (n + 1) * size) : NULL;

	if (more == NULL)
		return NULL;
	*list = more;
	return memset(more + n * size, 0, size);
}

struct handover_listener *
handover_listener_add(struct handover_pool *p, const char *address)
{
	void *list = p->listener;
	struct handover_listener *l = NULL;

	if (strlen(address) < sizeof(l->address))
		l = grown(&list, p->listeners, RFK_FDS_MAX, sizeof(*l));
	p->listener = list;
	if (l == NULL)
		return NULL;
	snprintf(l->address, sizeof(l->address), "%s", address);
	p->listeners++;
	return l;
}

struct handover_process *
handover_process_add(struct handover_pool *p)
{
	void *list = p->process;
	struct handover_process *one = grown(&list, p->processes,
	    RFK_ROWS_MAX + RFK_SLOTS_MAX + 1, sizeof(*one));

	p->process = list;
	if (one != NULL)
		p->processes++;
	return one;
}

/* --- to text ----------------------------------------------------------- */

static int
put_text(struct buf *out, const char *name, const char *value)
{
	int rc = buf_printf(out, "%s=%s", name, value);

	return rc == 0 ? buf_put(out, "", 1) : rc;
}

static int
put_numbers(
    struct buf *out, const void *of, const struct field *fields, size_t n)
{
	char text[24];
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < n; i++) {
		snprintf(
		    text, sizeof(text), "%" PRId64, number_get(of, &fields[i]));
		rc = put_text(out, fields[i].name, text);
	}
	return rc;
}

static int
put_process(struct buf *out, const struct handover_process *p)
{
	size_t i;
	int rc = buf_puts(out, "process=");

	for (i = 0; rc == 0 && i < COUNT(of_process); i++)
		rc = buf_printf(out, "%s%" PRId64, i > 0 ? " " : "",
		    number_get(p, &of_process[i]));
	return rc == 0 ? buf_put(out, "", 1) : rc;
}

static int
put_settings(struct buf *out, const struct buf *block)
{
	const char *p = block->data, *end = block->data + block->len;
	int rc = 0;

	for (; rc == 0 && p < end; p += strlen(p) + 1)
		rc = put_text(out, "setting", p);
	return rc;
}

static int
put_pool(struct buf *out, const struct handover_pool *p)
{
	const struct handover_listener *l;
	size_t i;
	int rc = put_text(out, "pool", p->name);

	if (rc == 0)
		rc = put_numbers(out, p, of_pool, COUNT(of_pool));
	if (rc == 0)
		rc = put_settings(out, &p->settings);
	for (i = 0; rc == 0 && i < p->listeners; i++) {
		l = &p->listener[i];
		rc = buf_printf(out,
		    "listener=%" PRId64 " %" PRId64 " %" PRId64 " %s", l->fd,
		    l->shared, l->immortal, l->address);
		if (rc == 0)
			rc = buf_put(out, "", 1);
	}
	for (i = 0; rc == 0 && i < p->processes; i++)
		rc = put_process(out, &p->process[i]);
	return rc;
}

int
handover_encode(const struct handover *h, struct buf *out)
{
	size_t i;
	int rc = buf_printf(out, "state=%d", HANDOVER_VERSION);

	if (rc == 0)
		rc = buf_put(out, "", 1);
	if (rc == 0)
		rc = put_numbers(out, h, of_master, COUNT(of_master));
	if (rc == 0)
		rc = put_text(out, "pid_file", h->pid_file);
	if (rc == 0)
		rc = put_text(out, "control_path", h->control_path);
	if (rc == 0)
		rc = put_text(out, "who", h->who);
	for (i = 0; rc == 0 && i < h->pools; i++)
		rc = put_pool(out, &h->pool[i]);
	return rc;
}

/* --- from text --------------------------------------------------------- */

/* A whole number, up to a blank or the end: where it ends, or NULL. */
static const char *
number_parse(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (errno != 0 || end == text || (*end != '\0' && *end != ' '))
		return NULL;
	return end;
}

static int
take_number(void *of, const struct field *fields, size_t n, const char *entry)
{
	size_t i, len = strcspn(entry, "=");
	int64_t number;
	const char *end;

	for (i = 0; i < n; i++)
		if (strlen(fields[i].name) == len &&
		    memcmp(fields[i].name, entry, len) == 0)
			break;
	if (i == n)
		return -ENOENT;
	end = number_parse(entry + len + 1, &number);
	if (end == NULL || *end != '\0')
		return -EPROTO;
	number_set(of, &fields[i], number);
	return 0;
}

static int
take_process(struct handover_pool *p, const char *value, bool is_other)
{
	struct handover_process *one = handover_process_add(p);
	size_t fields = is_other ? HANDOVER_FIXED : COUNT(of_process);
	int64_t number;
	size_t i;

	if (one == NULL)
		return -E2BIG;
	for (i = 0; i < fields; i++) {
		value = number_parse(value, &number);
		if (value == NULL)
			return -EPROTO;
		number_set(one, &of_process[i], number);
		if (*value == ' ')
			value++;
	}
	return is_other || *value == '\0' ? 0 : -EPROTO;
}

static int
take_listener(struct handover_pool *p, const char *value)
{
	struct handover_listener *l;
	int64_t number[3];
	size_t i;

	for (i = 0; i < 3; i++) {
		value = number_parse(value, &number[i]);
		if (value == NULL || *value != ' ')
			return -EPROTO;
		value++;
	}
	l = handover_listener_add(p, value);
	if (l == NULL)
		return -E2BIG;
	l->fd = number[0];
	l->shared = number[1];
	l->immortal = number[2];
	return 0;
}

static int
take_text(char *out, size_t cap, const char *value)
{
	return snprintf(out, cap, "%s", value) < (int)cap ? 0 : -E2BIG;
}

/* The value of "name=value" when that is its name, or NULL. */
static const char *
value_of(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && entry[len] == '='
		   ? entry + len + 1
		   : NULL;
}

static int
take_of_pool(struct handover_pool *p, const char *entry, bool is_other)
{
	const char *value;

	if ((value = value_of(entry, "setting")) != NULL)
		return buf_put(&p->settings, value, strlen(value) + 1);
	if ((value = value_of(entry, "listener")) != NULL)
		return take_listener(p, value);
	if ((value = value_of(entry, "process")) != NULL)
		return take_process(p, value, is_other);
	return take_number(p, of_pool, COUNT(of_pool), entry);
}

static int
take_entry(struct handover *h, const char *entry)
{
	const char *value;

	if ((value = value_of(entry, "pool")) != NULL)
		return handover_pool_add(h, value) != NULL ? 0 : -E2BIG;
	if (h->pools > 0)
		return take_of_pool(&h->pool[h->pools - 1], entry, h->is_other);
	if ((value = value_of(entry, "pid_file")) != NULL)
		return take_text(h->pid_file, sizeof(h->pid_file), value);
	if ((value = value_of(entry, "control_path")) != NULL)
		return take_text(
		    h->control_path, sizeof(h->control_path), value);
	if ((value = value_of(entry, "who")) != NULL)
		return take_text(h->who, sizeof(h->who), value);
	return take_number(h, of_master, COUNT(of_master), entry);
}

static bool
take_version(const char *text, int64_t *out)
{
	const char *value = value_of(text, "state");
	const char *end = value != NULL ? number_parse(value, out) : NULL;

	return end != NULL && *end == '\0' && *out >= HANDOVER_OLDEST;
}

int
handover_decode(
    struct handover *h, const char *text, size_t len, struct fail *why)
{
	const char *end = text + len, *next;
	int64_t version;
	int rc;

	if (len == 0 || end[-1] != '\0')
		return fail_set(why, EPROTO, "it is cut off");
	if (!take_version(text, &version))
		return fail_set(why, EPROTO,
		    "it says \"%.40s\", this program reads \"state=%d\"", text,
		    HANDOVER_VERSION);
	h->is_other = version != HANDOVER_VERSION;
	for (next = text + strlen(text) + 1; next < end;
	     next += strlen(next) + 1) {
		rc = take_entry(h, next);
		if (rc < 0 && !(h->is_other && rc == -ENOENT))
			return fail_set(why, -rc, "\"%.80s\": %s", next,
			    rc == -ENOENT ? "unknown to this program"
					  : strerror(-rc));
	}
	if (h->pools == 0)
		return fail_set(why, EPROTO, "it has no pool");
	return 0;
}
