/* meaning.c - framing, connection and host: the fields a server must heed. */
#include "http/meaning.h"

#include "http/chars.h"
#include "http/target.h"

/* What the meaning of a head rests on while its fields are walked through. */
struct meaning {
	bool close;
	bool keep;
	bool connection_upgrade;
	bool upgrade;
	bool transfer_encoding;
	bool unknown_coding;
	bool unknown_expectation;
	size_t hosts;
};

/* 1*DIGIT, once, below 2^63; everything else is somebody's second reading. */
static int
on_content_length(struct http_head *head, struct http_slice value)
{
	int64_t n = 0;

	if (head->content_length >= 0 || value.len == 0)
		return 400;
	for (size_t i = 0; i < value.len; i++) {
		if (!http_char_is(value.at[i], HTTP_DIGIT))
			return 400;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, value.at[i] - '0', &n))
			return 400;
	}
	head->content_length = n;
	return 0;
}

/*
 * "chunked" must be the last coding and stand once. Another one before it is
 * well formed, only not ours: 501, said when all the fields have been read.
 */
static int
on_transfer_encoding(
    struct http_head *head, struct meaning *m, struct http_slice list)
{
	struct http_slice coding;

	m->transfer_encoding = true;
	if (list.len == 0)
		return 400;
	while (http_list_next(&list, &coding)) {
		if (head->chunked || coding.len == 0)
			return 400;
		for (size_t i = 0; i < coding.len; i++)
			if (!http_char_is(coding.at[i], HTTP_TCHAR))
				return 400;
		if (http_slice_is(coding, "chunked"))
			head->chunked = true;
		else
			m->unknown_coding = true;
	}
	return 0;
}

static void
on_expect(struct http_head *head, struct meaning *m, struct http_slice list)
{
	struct http_slice item;

	while (http_list_next(&list, &item))
		if (http_slice_is(item, "100-continue"))
			head->expect_continue = true;
		else if (item.len > 0)
			m->unknown_expectation = true;
}

static int
on_connection(struct meaning *m, struct http_slice list)
{
	struct http_slice option;

	while (http_list_next(&list, &option)) {
		if (http_slice_is(option, "close"))
			m->close = true;
		else if (http_slice_is(option, "keep-alive"))
			m->keep = true;
		else if (http_slice_is(option, "upgrade"))
			m->connection_upgrade = true;
	}
	return 0;
}

/* With absolute-form the target's authority wins; the field must be good too.
 */
static int
on_host(struct http_head *head, struct meaning *m, struct http_slice value,
    unsigned flags)
{
	struct http_slice of_target = head->authority;
	int status;

	if (m->hosts++ > 0)
		return (flags & HTTP_COMPAT_UNICORN) ? 0 : 400;
	head->has_host = true;
	head->authority = value;
	status = http_authority_parse(head, flags);
	if (head->scheme.len > 0) {
		head->authority = of_target;
		head->host = head->port = (struct http_slice){ 0 };
	}
	return status;
}

/* True when the name is `word`, also when it is spelt with underscores. */
static bool
is_framing(struct http_slice name, const char *word, bool *disguised)
{
	char spelt[32];

	if (http_slice_is(name, word))
		return true;
	for (size_t i = 0; i < name.len; i++)
		spelt[i] = name.at[i] == '_' ? '-' : name.at[i];
	*disguised =
	    http_slice_is((struct http_slice){ spelt, name.len }, word);
	return *disguised;
}

/*
 * The fields that mean something to a server, told apart by their length first:
 * most fields of a request cost one comparison. Content_Length is one of them,
 * because a CGI variable cannot tell it from the real one.
 */
static int
field_mean(struct http_head *head, struct meaning *m,
    const struct http_field *field, unsigned flags)
{
	struct http_slice name = field->name, value = field->value;
	bool disguised = false;

	switch (name.len) {
	case 4:
		return http_slice_is(name, "host")
			   ? on_host(head, m, value, flags)
			   : 0;
	case 6:
		if (http_slice_is(name, "expect"))
			on_expect(head, m, value);
		return 0;
	case 7:
		m->upgrade |= http_slice_is(name, "upgrade") && value.len > 0;
		return 0;
	case 10:
		return http_slice_is(name, "connection")
			   ? on_connection(m, value)
			   : 0;
	case 14:
		if (!is_framing(name, "content-length", &disguised))
			return 0;
		return disguised ? 400 : on_content_length(head, value);
	case 17:
		if (!is_framing(name, "transfer-encoding", &disguised))
			return 0;
		return disguised ? 400 : on_transfer_encoding(head, m, value);
	default:
		return 0;
	}
}

/* What follows from all the fields together: RFC 9112 3.2, 6.1, 6.3, 9.3. */
static int
conclude(struct http_head *head, const struct meaning *m, unsigned flags)
{
	bool modern = head->major > 1 || (head->major == 1 && head->minor > 0);

	if (m->transfer_encoding && (head->content_length >= 0 || !modern))
		return 400;
	if (modern && m->hosts == 0 && !(flags & HTTP_COMPAT_UNICORN))
		return 400;
	if (m->unknown_coding)
		return 501;
	/* RFC 9110 10.1.1: what nobody can promise is said now. */
	if (m->unknown_expectation && modern && !(flags & HTTP_COMPAT_UNICORN))
		return 417;
	head->connection_close = m->close;
	head->keep_alive = !m->close && (modern || m->keep);
	head->upgrade = m->upgrade && m->connection_upgrade && modern;
	head->expect_continue = head->expect_continue && modern;
	return head->scheme.len > 0 ? http_authority_parse(head, flags) : 0;
}

int
http_head_mean(struct http_head *head, unsigned flags)
{
	struct meaning m = { 0 };
	int status = 0;

	for (size_t i = 0; status == 0 && i < head->nfields; i++)
		status = field_mean(head, &m, &head->fields[i], flags);
	return status != 0 ? status : conclude(head, &m, flags);
}
