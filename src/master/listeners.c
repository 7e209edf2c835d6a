/*
 * The set of listeners, from one generation to the next: what is kept, what is
 * new, what is dropped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/backlog.h"
#include "base/cutoff.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/listener.h"

static const struct listener *
find(const struct listeners *set_of, const char *address)
{
	size_t i;

	for (i = 0; i < set_of->n; i++)
		if (strcmp(set_of->at[i].address, address) == 0)
			return &set_of->at[i];
	return NULL;
}

/* A UNIX socket whose file was unlinked under us is bound anew. */
static bool
still_there(const struct listener *l)
{
	struct stat st;

	return l->address[0] != '/' ||
	       (lstat(l->address, &st) == 0 && S_ISSOCK(st.st_mode));
}

static void
names_free(struct listener *l)
{
	free(l->address);
	free(l->bound);
	l->address = l->bound = NULL;
}

static int
add(struct listeners *next, const char *address, int fd, bool fresh)
{
	struct listener *l = &next->at[next->n];

	l->address = strdup(address);
	l->bound = listener_bound(fd);
	if (l->address == NULL || l->bound == NULL) {
		names_free(l);
		return -ENOMEM;
	}
	l->fd = fd;
	l->fresh = fresh;
	next->n++;
	return 0;
}

int
listeners_resume(struct listeners *all, const char *address, int take_fd,
    bool shared, bool immortal)
{
	int rc =
	    all->n < RFK_LISTENERS_MAX ? fd_cloexec(take_fd, true) : -E2BIG;

	if (rc == 0)
		rc = add(all, address, take_fd, false);
	if (rc == 0) {
		all->at[all->n - 1].shared = shared;
		all->at[all->n - 1].immortal = immortal;
	}
	return rc;
}

static int
keep(struct listeners *next, const struct listener *old)
{
	int rc = add(next, old->address, old->fd, false);

	if (rc == 0) {
		next->at[next->n - 1].shared = old->shared;
		next->at[next->n - 1].immortal = old->immortal;
	}
	return rc;
}

int
listener_queue(const struct listener *l)
{
	const char *mark =
	    l->address[0] != '/' ? strchr(l->address, '#') : NULL;

	return mark != NULL ? atoi(mark + 1) : 0;
}

/* All queues of one address are where its first one is, also with port 0. */
static int
open_one(
    const struct listeners *next, const struct rfk_listen *l, struct fail *why)
{
	const struct listener *first =
	    l->queue > 0 ? find(next, l->address) : NULL;
	struct rfk_listen there = *l;

	if (first != NULL)
		there.address = first->bound;
	return listener_open(&there, why);
}

static void
say_listening(const struct listener *l)
{
	log_info("listening on addr=%s fd=%d%s", l->bound, l->fd,
	    listener_queue(l) > 0 ? " (SO_REUSEPORT)" : "");
}

static int
add_one(const struct listeners *now, struct listeners *next,
    const struct rfk_listen *l, struct fail *why)
{
	const struct listener *old;
	char name[300];
	int fd, rc;

	snprintf(name, sizeof(name), l->queue > 0 ? "%s#%d" : "%s", l->address,
	    l->queue);
	old = find(now, name);
	if (find(next, name) != NULL)
		return 0; /* named twice, or bound at an earlier try */
	if (old != NULL && still_there(old)) {
		listener_again(old->fd, l);
		return keep(next, old);
	}
	fd = open_one(next, l, why);
	if (fd < 0)
		return fd;
	if (!next->is_reload && listen(fd, listener_backlog(l)) < 0) {
		rc = listener_refuse(l, errno, why);
		fd_close(&fd);
		return rc;
	}
	rc = add(next, name, fd, true);
	if (rc < 0) {
		fd_close(&fd);
		return listener_refuse(l, -rc, why);
	}
	next->at[next->n - 1].backlog = listener_backlog(l);
	if (!next->is_reload)
		say_listening(&next->at[next->n - 1]);
	return 0;
}

static void
say_retry(const struct rfk_listen *l, int left)
{
	char tries[32] = "infinite";

	if (l->tries >= 0)
		snprintf(tries, sizeof(tries), "%d", left);
	log_error("%s%sadding listener failed addr=%s (in use)", l->place,
	    l->place[0] ? ": " : "", l->address);
	log_error("retrying in %.1f seconds (%s tries left)", l->delay_ms / 1e3,
	    tries);
}

int
listeners_bind(const struct listeners *now, struct listeners *next,
    const struct rfk_settings_table *s, int *tries, int *delay_ms,
    struct fail *why)
{
	size_t i;
	int rc, left;

	for (i = 0; i < s->listens && next->n < RFK_LISTENERS_MAX; i++) {
		rc = add_one(now, next, &s->listen[i], why);
		if (rc == 0)
			continue;
		left = s->listen[i].tries - ++*tries;
		if (rc != -EADDRINUSE || (s->listen[i].tries >= 0 && left <= 0))
			return rc;
		say_retry(&s->listen[i], left);
		*delay_ms = s->listen[i].delay_ms;
		return -EAGAIN;
	}
	return 0;
}

static void
cut(const struct listener *l)
{
	int rc = l->shared ? 0 : cutoff_begin(l->fd);

	if (rc < 0)
		log_warn("listener %s: %s: who connects while it is being "
			 "closed may be reset",
		    l->address, strerror(-rc));
}

static void
drop(struct listener *l, bool unlink_too)
{
	if (unlink_too && l->address[0] == '/')
		unlink(l->address);
	fd_close(&l->fd);
	names_free(l);
}

static bool
is_kept(const struct listener *l, const struct listeners *next)
{
	const struct listener *kept = find(next, l->address);

	return kept != NULL && kept->fd == l->fd;
}

bool
listeners_drop_some(const struct listeners *now, const struct listeners *next)
{
	size_t i;

	for (i = 0; i < now->n && next->n > 0; i++)
		if (!is_kept(&now->at[i], next))
			return true;
	return false;
}

/* Those of the canary listen by now; how many may wait is said here. */
static void
begin(const struct listeners *next)
{
	size_t i;

	for (i = 0; i < next->n && next->is_reload; i++) {
		const struct listener *l = &next->at[i];

		if (!l->fresh)
			continue;
		if (listen(l->fd, l->backlog) < 0)
			log_error(
			    "listen \"%s\": %s", l->address, strerror(errno));
		else
			say_listening(l);
	}
}

void
listeners_commit(struct listeners *now, struct listeners *next,
    struct listeners *give_dropped)
{
	size_t i;

	begin(next);
	give_dropped->n = 0;
	for (i = 0; i < now->n; i++) {
		if (is_kept(&now->at[i], next)) {
			names_free(&now->at[i]);
			continue;
		}
		log_info("closing listener addr=%s", now->at[i].bound);
		cut(&now->at[i]);
		give_dropped->at[give_dropped->n++] = now->at[i];
	}
	*now = *next;
	for (i = 0; i < now->n; i++)
		now->at[i].fresh = false;
	memset(next, 0, sizeof(*next));
}

/* A canary may serve some of them: what is queued is still its own. Without one
 * nobody has ever listened. */
void
listeners_undo(struct listeners *next)
{
	size_t i;

	for (i = 0; i < next->n; i++) {
		if (next->at[i].fresh) {
			cut(&next->at[i]);
			drop(&next->at[i], true);
		} else {
			names_free(&next->at[i]);
		}
	}
	memset(next, 0, sizeof(*next));
}

void
listeners_cut(const struct listeners *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		cut(&l->at[i]);
}

void
listeners_announce(const struct listeners *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (!l->at[i].shared)
			(void)cutoff_announce(l->at[i].fd);
}

int
listeners_waiting(const struct listeners *l)
{
	int n, all = 0;
	size_t i;

	for (i = 0; i < l->n; i++) {
		n = l->at[i].shared ? 0 : backlog_length(l->at[i].fd);
		all += n > 0 ? n : 0;
	}
	return all;
}

void
listeners_end(struct listeners *dropped)
{
	size_t i;

	for (i = 0; i < dropped->n; i++)
		if (!dropped->at[i].shared)
			cutoff_end_if_empty(dropped->at[i].fd);
	listeners_close(dropped);
}

void
listeners_close(struct listeners *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		drop(&l->at[i], false);
	l->n = 0;
}
