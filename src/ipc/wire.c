/*
 * wire.c - one row of messages.def is everything the decoder knows.
 *
 * A message is a head, the payload as it lies in memory, and the tail. The head
 * repeats the tail's length although the socket keeps message boundaries: a
 * message that was cut or glued is then seen, whatever its type.
 */
#include "ipc/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct wire_head {
	uint32_t type;
	uint32_t tail_len;
};

struct wire_row {
	const char *name;
	unsigned int senders;
	int min_fds;
	int max_fds;
	size_t size;
	bool has_tail;
};

#define WIRE_TAIL_TEXT true
#define WIRE_TAIL_NONE false

static const struct wire_row rows[RFK_MSG_END] = {
#define RFK_MSG(name, senders, min_fds, max_fds, payload, tail)                \
	[RFK_MSG_##name] = { #name, (senders), (min_fds), (max_fds),           \
		sizeof(payload), WIRE_TAIL_##tail },
#include <reforkd/messages.def>
#undef RFK_MSG
};

static const struct wire_row *
row_of(uint32_t type)
{
	if (type == RFK_MSG_NONE || type >= RFK_MSG_END)
		return NULL;
	return &rows[type];
}

const char *
wire_name(enum rfk_type type)
{
	const struct wire_row *row = row_of((uint32_t)type);

	return row != NULL ? row->name : "?";
}

int
wire_encode(const struct rfk_msg *msg, void *out, size_t cap)
{
	const struct wire_row *row = row_of((uint32_t)msg->type);
	struct wire_head head = { (uint32_t)msg->type, msg->tail_len };
	unsigned char *p = out;

	if (row == NULL || (msg->tail_len > 0 && !row->has_tail))
		return -EINVAL;
	if (msg->tail_len > RFK_TAIL_MAX ||
	    cap < sizeof(head) + row->size + msg->tail_len)
		return -EMSGSIZE;
	memcpy(p, &head, sizeof(head));
	p += sizeof(head);
	memcpy(p, &msg->u, row->size);
	p += row->size;
	if (msg->tail_len > 0)
		memcpy(p, msg->tail, msg->tail_len);
	return (int)(sizeof(head) + row->size + msg->tail_len);
}

int
wire_decode(const void *in, size_t len, int nfds, enum rfk_role from,
    struct rfk_msg *out)
{
	const unsigned char *p = in;
	const struct wire_row *row;
	struct wire_head head;

	memset(out, 0, sizeof(*out));
	if (len < sizeof(head))
		return -EPROTO;
	memcpy(&head, p, sizeof(head));
	p += sizeof(head);
	row = row_of(head.type);
	if (row == NULL || (row->senders & (unsigned int)from) == 0)
		return -EPROTO;
	if (nfds < row->min_fds || nfds > row->max_fds)
		return -EPROTO;
	if (head.tail_len > (row->has_tail ? RFK_TAIL_MAX : 0))
		return -EPROTO;
	if (len != sizeof(head) + row->size + head.tail_len)
		return -EPROTO;
	out->type = (enum rfk_type)head.type;
	memcpy(&out->u, p, row->size);
	out->tail = (const char *)p + row->size;
	out->tail_len = head.tail_len;
	return 0;
}
