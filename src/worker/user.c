#include "worker/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ruby/reopen.h"
#include "worker/self.h"

static int
fail(const struct self *self, char *text, size_t size, const char *what,
    const char *name, int error)
{
	const char *place = settings_place(&self->settings, RFK_SET_user);

	snprintf(text, size, "%s%suser \"%s\": %s %s: %s%s", place,
	    place[0] ? ": " : "", self->settings.user, what, name,
	    strerror(error),
	    error == EPERM ? " (start reforkd as root, or drop `user`)" : "");
	return -error;
}

int
user_switch(const struct self *self, char *text, size_t size)
{
	const char *name = self->settings.user;
	const char *group = self->settings.group;
	struct passwd *account;
	struct group *entry;
	gid_t gid;

	if (name[0] == '\0')
		return 0;
	errno = 0;
	account = getpwnam(name);
	if (account == NULL)
		return fail(self, text, size, "can't find user", name,
		    errno != 0 ? errno : ENOENT);
	gid = account->pw_gid;
	if (group[0] != '\0') {
		entry = getgrnam(group);
		if (entry == NULL)
			return fail(self, text, size, "can't find group", group,
			    errno != 0 ? errno : ENOENT);
		gid = entry->gr_gid;
	}
	/* Born switched, or switched by worker.user in a callback. */
	if (getuid() == account->pw_uid && geteuid() == account->pw_uid)
		return 0;
	/* A rotated log must be one that the worker may open again. */
	(void)reopen_give(account->pw_uid, gid);
	/* In this order: the groups need the rights that setuid gives up. */
	if (initgroups(name, gid) < 0 || setgid(gid) < 0 ||
	    setuid(account->pw_uid) < 0)
		return fail(self, text, size, "cannot become", name, errno);
	return 0;
}
