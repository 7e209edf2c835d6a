/*
 * fail.c - why something did not work, for the human who must act on it.
 */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int
error_of(const struct fail *why)
{
	return why->error != 0 ? -why->error : -ECANCELED;
}

int
fail_set(struct fail *why, int error, const char *fmt, ...)
{
	char text[sizeof(why->text)];
	va_list ap;

	/* Not in place: the arguments may point into the old text. */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(why->text, text, sizeof(text));
	why->error = error;
	return error_of(why);
}

int
fail_in(struct fail *why, const char *fmt, ...)
{
	char text[sizeof(why->text)];
	size_t len, rest;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text) - sizeof(": "), fmt, ap);
	va_end(ap);
	len = strlen(text);
	memcpy(text + len, ": ", sizeof(": "));
	len += strlen(": ");
	rest = strnlen(why->text, sizeof(text) - len - 1);
	memcpy(text + len, why->text, rest);
	text[len + rest] = '\0';
	memcpy(why->text, text, sizeof(text));
	return error_of(why);
}
