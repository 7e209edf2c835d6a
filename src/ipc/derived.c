/*
 * derived.c - what follows from the settings, so that nobody derives it twice.
 */
#include <reforkd/settings.h>

#include <stddef.h>

const char *
settings_place(const struct rfk_settings_table *t, enum rfk_setting which)
{
	return t->place[which] != NULL ? t->place[which] : "";
}

int64_t
settings_refork_limit(const struct rfk_settings_table *t, uint32_t generation)
{
	if (t->refork_afters == 0)
		return 0;
	if (generation >= t->refork_afters)
		return t->refork_after[t->refork_afters - 1];
	return t->refork_after[generation];
}

int64_t
settings_soft_ms(const struct rfk_settings_table *t)
{
	int64_t before_ms = t->timeout / 10;

	if (t->timeout_soft > 0)
		return t->timeout_soft < t->timeout ? t->timeout_soft
						    : t->timeout;
	return t->timeout - (before_ms < 2000 ? before_ms : 2000);
}

int64_t
settings_drain_ms(const struct rfk_settings_table *t)
{
	return t->drain_timeout > 0 ? t->drain_timeout
				    : t->timeout + t->keepalive_timeout;
}

/* A FORK may lie behind a callback, and has spawn_timeout. */
int64_t
settings_hook_ms(const struct rfk_settings_table *t)
{
	int64_t most = t->spawn_timeout / 2;

	return t->hook_timeout < most ? t->hook_timeout : most;
}

int64_t
settings_unavailable(const struct rfk_settings_table *t, int64_t workers)
{
	if (t->refork_max_unavailable > 0)
		return t->refork_max_unavailable;
	return workers >= 20 ? workers / 10 : 1;
}

/* Lowered by up to so many percent, for each token by its own share. */
int64_t
settings_with_jitter(int64_t limit, int64_t percent, uint64_t token)
{
	uint64_t share = (token * 0x9e3779b97f4a7c15ull) >> 54; /* 0 to 1023 */

	return limit - (int64_t)((double)limit * (double)percent / 100. *
				 (double)share / 1024.);
}
