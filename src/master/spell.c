/* spell.c - directives of several rows, in the file's own language. */
#include "master/spell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "master/oom.h"
#include "master/print.h"

/* A default that follows from something else says from what. */
static const char *
derived(
    const struct rfk_settings_table *s, enum rfk_setting which, const char *how)
{
	const char *place = settings_place(s, which);

	return place[0] != '\0' ? place : how;
}

static void
spell_malloc(const struct rfk_settings_table *s)
{
	char text[2 * 1024];

	if (s->malloc_library[0] != '\0')
		print_put(print_origin(s, RFK_SET_malloc_library, false),
		    "malloc %s",
		    print_quoted(s->malloc_library, text, sizeof(text)));
	if (s->malloc_arena_max != 0)
		print_put(print_origin(s, RFK_SET_malloc_arena_max, false),
		    "malloc arena_max: %" PRId64, s->malloc_arena_max);
	if (s->malloc_trim != 0)
		print_put(print_origin(s, RFK_SET_malloc_trim, false),
		    "malloc trim: true");
}

static void
spell_user(const struct rfk_settings_table *s)
{
	char user[600], group[600];

	if (s->user[0] == '\0')
		return;
	print_quoted(s->user, user, sizeof(user));
	print_quoted(s->group, group, sizeof(group));
	print_put(print_origin(s, RFK_SET_user, false), "user %s%s%s", user,
	    s->group[0] ? ", " : "", s->group[0] ? group : "");
}

static void
spell_oob_gc(const struct rfk_settings_table *s)
{
	const char *place = print_origin(s, RFK_SET_oob_gc, true);
	char nursery[32] = ":auto";

	if (s->oob_gc_nursery != 0)
		snprintf(
		    nursery, sizeof(nursery), "%" PRId64, s->oob_gc_nursery);
	if (s->oob_gc == 0)
		print_put(place, "oob_gc false");
	else if (strcmp(s->oob_gc_rule, "discourse") == 0)
		print_put(place, "oob_gc :discourse");
	else if (strcmp(s->oob_gc_rule, "every") == 0)
		print_put(place, "oob_gc every: %" PRId64, s->oob_gc_every);
	else
		print_put(place,
		    "oob_gc budget: %.15g, guard: %.15g, leash: %" PRId64
		    ", nursery: %s",
		    (double)s->oob_gc_budget / 1e2,
		    (double)s->oob_gc_guard / 1e2, s->oob_gc_leash, nursery);
}

static void
spell_limits(const struct rfk_settings_table *s)
{
	if (s->worker_memory_limit != 0)
		print_put(print_origin(s, RFK_SET_worker_memory_limit, false),
		    "worker_memory_limit %s: %" PRId64 ", jitter: %.15g",
		    s->worker_memory_rss ? "rss" : "uss",
		    s->worker_memory_limit,
		    (double)s->worker_memory_jitter / 1e2);
	if (s->worker_max_requests != 0)
		print_put(print_origin(s, RFK_SET_worker_max_requests, false),
		    "worker_max_requests %" PRId64 ", jitter: %.15g",
		    s->worker_max_requests,
		    (double)s->worker_max_requests_jitter / 1e2);
	if (s->memory_budget_percent != 0)
		print_put(print_origin(s, RFK_SET_memory_budget, false),
		    "memory_budget \"%" PRId64 "%%\"",
		    s->memory_budget_percent);
	else if (s->memory_budget != 0)
		print_put(print_origin(s, RFK_SET_memory_budget, false),
		    "memory_budget %" PRId64, s->memory_budget);
}

static void
spell_oom(const struct rfk_settings_table *s)
{
	const int64_t scores[] = { s->oom_score_adj_master,
		s->oom_score_adj_mold, s->oom_score_adj_worker };
	static const char *const roles[] = { "master", "mold", "worker" };
	char text[96] = "";
	size_t i, len;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		len = strlen(text);
		if (scores[i] != OOM_SCORE_UNSET)
			snprintf(text + len, sizeof(text) - len,
			    "%s %s: %" PRId64, len > 0 ? "," : "", roles[i],
			    scores[i]);
	}
	if (text[0] != '\0')
		print_put(print_origin(s, RFK_SET_oom_score_adj_master, false),
		    "oom_score_adj%s", text);
}

/* "root,lock" as symbols. */
static void
spell_key(const struct rfk_settings_table *s)
{
	const char *p = s->key;
	char text[600] = "";
	size_t n;

	for (; *p != '\0'; p += n + (p[n] == ',')) {
		size_t len = strlen(text);

		n = strcspn(p, ",");
		snprintf(text + len, sizeof(text) - len, "%s:%.*s",
		    len > 0 ? ", " : "", (int)n, p);
	}
	if (text[0] != '\0')
		print_put(print_origin(s, RFK_SET_key, false), "key %s", text);
}

static void
spell_ruby(const struct rfk_settings_table *s)
{
	char text[8300];

	if (s->ruby[0] == '\0')
		return;
	print_quoted(s->ruby, text, sizeof(text));
	print_put(print_origin(s, RFK_SET_ruby, false), "ruby %s",
	    s->ruby[0] == '/' ? text : ":project");
}

/* Numbers whose 0, or -1, is no number that an operator means. */
static bool
spell_derived(const struct rfk_settings_table *s, enum rfk_setting which)
{
	switch (which) {
	case RFK_SET_drain_timeout:
		if (s->drain_timeout == 0)
			print_put(derived(s, which,
				      "default: timeout + keepalive_timeout"),
			    "drain_timeout %.15g",
			    (double)settings_drain_ms(s) / 1e3);
		return s->drain_timeout == 0;
	case RFK_SET_client_max_body_size:
		if (s->client_max_body_size == 0)
			print_put(derived(s, which, "default: no limit"),
			    "client_max_body_size 0");
		return s->client_max_body_size == 0;
	case RFK_SET_refork_max_unavailable:
		if (s->refork_max_unavailable == 0)
			print_put(
			    derived(s, which, "default: 10 % of the workers"),
			    "refork_max_unavailable %" PRId64,
			    settings_unavailable(s, s->worker_processes));
		return s->refork_max_unavailable == 0;
	case RFK_SET_refork_min_gain:
		if (s->refork_min_gain == 0)
			print_put(derived(s, which, "default: 5 % of the pool"),
			    "refork_min_gain 0");
		return s->refork_min_gain == 0;
	default:
		return false;
	}
}

/* What only one kind of work has. */
static bool
spell_work(const struct rfk_settings_table *s, enum rfk_setting which)
{
	switch (which) {
	case RFK_SET_key:
		spell_key(s);
		return true;
	case RFK_SET_ruby:
		spell_ruby(s);
		return true;
	/* Without a key they say nothing. */
	case RFK_SET_max_molds:
	case RFK_SET_idle_timeout:
		return s->key[0] == '\0';
	case RFK_SET_spare:
	case RFK_SET_max:
	case RFK_SET_release_timeout:
		return s->kind != RFK_KIND_LEASE;
	case RFK_SET_signals_own:
		if (s->signals_own)
			print_put(
			    print_origin(s, which, false), "signals :own");
		return true;
	default:
		return spell_derived(s, which);
	}
}

static bool
spell_one(const struct rfk_settings_table *s, enum rfk_setting which)
{
	switch (which) {
	case RFK_SET_timeout:
		print_put(print_origin(s, which, s->timeout == 60000),
		    "timeout %.15g, soft: %.15g", (double)s->timeout / 1e3,
		    (double)settings_soft_ms(s) / 1e3);
		return true;
	case RFK_SET_shared_sockets_allow:
		print_put(print_origin(s, which, s->shared_sockets_allow == 0),
		    "shared_sockets :%s",
		    s->shared_sockets_allow ? "allow" : "refuse");
		return true;
	case RFK_SET_http_compat:
		print_put(print_origin(s, which, s->http_compat == 0),
		    "http_compat :%s", s->http_compat ? "unicorn" : "strict");
		return true;
	case RFK_SET_refork_cpu:
		print_put(print_origin(s, which, s->refork_cpu == 100),
		    "refork_cpu %.15g", (double)s->refork_cpu / 1e4);
		return true;
	case RFK_SET_umask:
		if (s->umask >= 0)
			print_put(print_origin(s, which, false), "umask 0o%03o",
			    (unsigned int)s->umask);
		return true;
	case RFK_SET_malloc_library:
		spell_malloc(s);
		return true;
	case RFK_SET_oob_gc:
		spell_oob_gc(s);
		return true;
	case RFK_SET_worker_memory_limit:
		spell_limits(s);
		return true;
	case RFK_SET_oom_score_adj_master:
		spell_oom(s);
		return true;
	case RFK_SET_user:
		spell_user(s);
		return true;
	/* No limit has no words. */
	case RFK_SET_max_consecutive_spawn_errors:
		return s->max_consecutive_spawn_errors == 0;
	default:
		return spell_work(s, which);
	}
}

bool
spell(const struct rfk_settings_table *s, enum rfk_setting which)
{
	switch (which) {
	/* Parts of what another row's directive says. */
	case RFK_SET_timeout_soft:
	case RFK_SET_malloc_arena_max:
	case RFK_SET_malloc_trim:
	case RFK_SET_oob_gc_rule:
	case RFK_SET_oob_gc_every:
	case RFK_SET_oob_gc_budget:
	case RFK_SET_oob_gc_guard:
	case RFK_SET_oob_gc_leash:
	case RFK_SET_oob_gc_nursery:
	case RFK_SET_worker_memory_rss:
	case RFK_SET_worker_memory_jitter:
	case RFK_SET_worker_max_requests:
	case RFK_SET_worker_max_requests_jitter:
	case RFK_SET_memory_budget:
	case RFK_SET_memory_budget_percent:
	case RFK_SET_oom_score_adj_mold:
	case RFK_SET_oom_score_adj_worker:
	case RFK_SET_group:
	/* The head and the end of what is printed. */
	case RFK_SET_refork_auto:
	case RFK_SET_kind:
	case RFK_SET_restart:
	case RFK_SET_service:
	case RFK_SET_pool:
	case RFK_SET_config_file:
	case RFK_SET_rackup:
	case RFK_SET_personality_why:
	/* Nobody's settings. */
	case RFK_SET_has_logger:
	case RFK_SET_hook_after_worker_exit:
	case RFK_SET_hook_after_monitor_ready:
	case RFK_SET_hook_after_hard_timeout:
		return true;
	default:
		return spell_one(s, which);
	}
}

static void
put_number(char *text, size_t cap, const char *name, int value, int fallback)
{
	size_t len = strlen(text);

	if (value != fallback)
		snprintf(text + len, cap - len, ", %s: %d", name, value);
}

static void
put_truth(char *text, size_t cap, const char *name, int value, int fallback)
{
	size_t len = strlen(text);

	if (value != fallback)
		snprintf(text + len, cap - len, ", %s: %s", name,
		    value ? "true" : "false");
}

void
spell_listen(const struct rfk_listen *l)
{
	char address[300], text[512] = "";
	size_t len;

	if (l->queue > 0)
		return; /* told with the first one */
	put_number(text, sizeof(text), "backlog", l->backlog, -1);
	if (l->queues > 1) {
		put_number(text, sizeof(text), "queues", l->queues, 1);
		put_number(text, sizeof(text), "queues_per_worker",
		    l->queues_per_worker, 0);
	}
	put_truth(text, sizeof(text), "tcp_nodelay", l->tcp_nodelay, 1);
	put_truth(text, sizeof(text), "tcp_nopush", l->tcp_nopush, -1);
	put_number(
	    text, sizeof(text), "tcp_defer_accept", l->tcp_defer_accept, 1);
	put_truth(text, sizeof(text), "ipv6only", l->ipv6only, -1);
	put_truth(text, sizeof(text), "reuseport", l->reuseport, -1);
	put_number(text, sizeof(text), "rcvbuf", l->rcvbuf, -1);
	put_number(text, sizeof(text), "sndbuf", l->sndbuf, -1);
	len = strlen(text);
	if (l->umask != 0)
		snprintf(text + len, sizeof(text) - len, ", umask: 0o%03o",
		    (unsigned int)l->umask);
	put_number(text, sizeof(text), "tries", l->tries, 5);
	len = strlen(text);
	if (l->delay_ms != 500)
		snprintf(text + len, sizeof(text) - len, ", delay: %.15g",
		    l->delay_ms / 1e3);
	print_put(l->place[0] ? l->place : "default", "listen %s%s",
	    print_quoted(l->address, address, sizeof(address)), text);
}

void
spell_refork(const struct rfk_settings_table *s)
{
	size_t i;

	if (s->refork_auto)
		print_put(print_origin(s, RFK_SET_refork_auto, false),
		    "refork :auto");
	else if (s->refork_afters == 0)
		print_put(derived(s, RFK_SET_refork_auto, "default: by hand"),
		    "refork false");
	if (s->refork_afters == 0)
		return;
	printf("refork_after [");
	for (i = 0; i < s->refork_afters; i++)
		if (s->refork_after[i] == 0)
			printf("%sfalse", i ? ", " : "");
		else
			printf("%s%" PRId64, i ? ", " : "", s->refork_after[i]);
	printf("]\n");
}
