/* head.c - nanoseconds per request head: all of it, and the library's part. */
#include "http/head.h"
#include "http/parser.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS 9
#define HEADS 100000

static const char browser[] =
    "GET /books/1234?sort=title&page=2 HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
    "Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    "\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: https://shop.example.com/books\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: _session=7d0a9c4f2b; theme=dark; consent=yes\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Cache-Control: max-age=0\r\n"
    "\r\n";
static const char wrk[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

static struct http_head head;
static const struct http_limits limits = HTTP_LIMITS_INIT;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int
all_of_it(const char *text, size_t len)
{
	return http_head_end(text, len, 0) == len
		   ? http_head_parse(text, len, 0, &limits, &head)
		   : -1;
}

static int
library_alone(const char *text, size_t len)
{
	struct http_slice part = { text, len };

	return parser_fields(&part, 1, 0, head.fields, HTTP_FIELDS_MAX) < 0;
}

/* The best of some rounds: the machine is shared, and only ever too slow. */
static double
best_ns(int (*run)(const char *, size_t), const char *text)
{
	size_t len = strlen(text);
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t from = now_ns();
		double ns;

		for (int i = 0; i < HEADS; i++)
			if (run(text, len) != 0)
				return -1;
		ns = (double)(now_ns() - from) / HEADS;
		best = ns < best ? ns : best;
	}
	return best;
}

static void
report(const char *what, const char *text)
{
	double all = best_ns(all_of_it, text);
	double library = best_ns(library_alone, text);

	printf("%-8s %4zu bytes  %6.0f ns  library %6.0f ns  ours %6.0f ns\n",
	    what, strlen(text), all, library, all - library);
}

int
main(void)
{
	printf("%s\n", parser_library());
	report("browser", browser);
	report("wrk", wrk);
	return 0;
}
