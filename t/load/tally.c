/*
 * tally.c - counts for the one line of totals. The first failures are shown
 * as they happen, with the time of day, to be found in the server's log.
 */
#include "tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHOWN_MAX = 20 };

static const char *const words[] = {
#define FAILURE(name, word) word,
	FAILURES(FAILURE)
#undef FAILURE
};

int
tally_allow(struct tally *t, const char *rule)
{
	const char *equals = strchr(rule, '=');
	size_t len;
	unsigned k;
	uint32_t n;

	if (equals == NULL)
		return -EINVAL;
	len = (size_t)(equals - rule);
	n = (uint32_t)strtoul(equals + 1, NULL, 10);
	if (len == 4 && memcmp(rule, "lost", 4) == 0) {
		t->allowed_lost = n;
		return 0;
	}
	for (k = 0; k < FAIL_KINDS; k++) {
		if (strlen(words[k]) == len &&
		    memcmp(rule, words[k], len) == 0) {
			t->allowed[k] = n;
			return 0;
		}
	}
	return -EINVAL;
}

int
tally_request(struct tally *t, uint32_t n)
{
	uint32_t room = t->room == 0 ? 65536 : t->room * 2;
	void *latency, *answered, *filed;

	t->requests++;
	if (n < t->room)
		return 0;
	latency = realloc(t->latency_us, room * sizeof(*t->latency_us));
	if (latency == NULL)
		return -ENOMEM;
	t->latency_us = latency;
	answered = realloc(t->answered_id, room);
	if (answered == NULL)
		return -ENOMEM;
	t->answered_id = answered;
	filed = realloc(t->filed_id, room);
	if (filed == NULL)
		return -ENOMEM;
	t->filed_id = filed;
	memset(t->answered_id + t->room, 0, room - t->room);
	memset(t->filed_id + t->room, 0, room - t->room);
	t->room = room;
	return 0;
}

void
tally_answer(struct tally *t, uint32_t n, int64_t begun_us, int64_t now_us)
{
	t->latency_us[t->answered++] = (uint32_t)(now_us - begun_us);
	t->answered_id[n] = 1;
	if (now_us - t->last_us > t->gap_us) {
		t->gap_us = now_us - t->last_us;
		t->gap_at_us = t->last_us - t->start_us;
	}
	t->last_us = now_us;
}

void
tally_fail(struct tally *t, enum failure kind, const char *id, const char *why)
{
	struct timespec now;
	struct tm tm;
	char clock[16];

	t->failed[kind]++;
	if (++t->shown > SHOWN_MAX)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	fprintf(stderr, "load: %s.%06ld %s: %s: %s\n", clock,
	    now.tv_nsec / 1000, words[kind], id, why);
}

int
tally_verify(struct tally *t, const char *path, const char *tag)
{
	FILE *file = fopen(path, "r");
	size_t tag_len = strlen(tag);
	char line[256], id[80];
	unsigned long n;
	uint32_t i;

	if (file == NULL)
		return -errno;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, tag, tag_len) != 0)
			continue;
		n = strtoul(line + tag_len, NULL, 10);
		if (n < t->requests && t->filed_id[n] < 255)
			t->filed_id[n]++;
	}
	fclose(file);
	for (i = 0; i < t->requests; i++) {
		snprintf(id, sizeof(id), "%s%u", tag, i);
		if (t->filed_id[i] > 1)
			tally_fail(
			    t, FAIL_TWICE, id, "more than once in the file");
		else if (t->answered_id[i] && t->filed_id[i] == 0)
			tally_fail(
			    t, FAIL_MISSING, id, "answered, not in the file");
	}
	return 0;
}

static uint32_t
beyond(uint32_t n, uint32_t allowed)
{
	return n > allowed ? n - allowed : 0;
}

uint32_t
tally_failed(const struct tally *t)
{
	uint32_t lost = 0, sum = 0, over;
	unsigned k;

	for (k = 0; k < FAIL_KINDS; k++) {
		over = beyond(t->failed[k], t->allowed[k]);
		if (k == FAIL_RESET || k == FAIL_SHORT)
			lost += over;
		else
			sum += over;
	}
	return sum + beyond(lost, t->allowed_lost);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
percentile_ms(const struct tally *t, uint32_t per_mille)
{
	uint64_t at = (uint64_t)t->answered * per_mille / 1000;

	if (t->answered == 0)
		return 0;
	if (at >= t->answered)
		at = t->answered - 1;
	return t->latency_us[at] / 1000.0;
}

uint32_t
tally_report(struct tally *t, FILE *out)
{
	uint32_t failed;
	unsigned k;

	if (t->answered == 0)
		tally_fail(
		    t, FAIL_NOTHING, "-", "not one request was answered");
	if (t->latency_us != NULL)
		qsort(t->latency_us, t->answered, sizeof(*t->latency_us),
		    compare);
	failed = tally_failed(t);
	fprintf(out, "requests %u answered %u", t->requests, t->answered);
	for (k = 0; k < FAIL_KINDS; k++)
		fprintf(out, " %s %u", words[k], t->failed[k]);
	fprintf(out, " idle_closed %u late_resets %u waits %u ended %u",
	    t->idle_closed, t->late_resets, t->waits, t->ended);
	fprintf(out, " p50_ms %.2f p99_ms %.2f max_ms %.2f",
	    percentile_ms(t, 500), percentile_ms(t, 990),
	    percentile_ms(t, 1000));
	fprintf(out, " gap_ms %.2f gap_at_s %.2f failed %u\n",
	    (double)t->gap_us / 1000, (double)t->gap_at_us / 1e6, failed);
	fflush(out);
	return failed;
}
