/*
 * project.c - which project a lease is for: `root`, and `lock`, which changes
 * when its Gemfile.lock does. Fields that the command line gives are as given.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "ctl/lease.h"

#define LOCK_NAME "Gemfile.lock"

static const char *
given(const struct lease_order *order, const char *name)
{
	size_t len = strlen(name);
	int i;

	for (i = 0; i < order->nfields; i++)
		if (strncmp(order->fields[i], name, len) == 0 &&
		    order->fields[i][len] == '=')
			return order->fields[i] + len + 1;
	return NULL;
}

/* The directory that has the nearest Gemfile.lock upwards, or this one. */
static const char *
root_find(char here[4096])
{
	char file[4096 + 16];
	char *end;

	if (getcwd(here, 4096) == NULL)
		return NULL;
	for (end = here + strlen(here); end != here; end = strrchr(here, '/')) {
		*end = '\0';
		(void)snprintf(file, sizeof(file), "%s/" LOCK_NAME, here);
		if (access(file, R_OK) == 0)
			return here;
	}
	return getcwd(here, 4096);
}

/* FNV-1a, 64 bits, of the file's bytes; "none" without a file. */
static const char *
lock_of(const char *root, char out[24])
{
	uint64_t hash = 0xcbf29ce484222325u;
	char path[4096 + 16], bytes[4096];
	ssize_t n = -1, i;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/" LOCK_NAME, root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		for (i = 0; i < n; i++)
			hash =
			    (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	fd_close(&fd);
	if (n < 0)
		(void)snprintf(out, 24, "none");
	else
		(void)snprintf(out, 24, "%016" PRIx64, hash);
	return out;
}

int
project_put(struct buf *line, const struct lease_order *order)
{
	const char *root = given(order, "root");
	char here[4096], lock[24];
	int rc = 0;

	if (root == NULL) {
		root = root_find(here);
		if (root == NULL)
			return 0;
		rc = record_text(line, "root", root);
	}
	if (rc == 0 && given(order, "lock") == NULL)
		rc = record_text(line, "lock", lock_of(root, lock));
	return rc;
}
