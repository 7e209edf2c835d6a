/*
 * relay_session.c - a session through the lives of its workers: what is said
 * again, what is asked again, and what the editor does not notice.
 */
#include "relay/session.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "relay/frame.h"
#include "suite.h"

static struct session session;
static struct fail why;
static char notes[4096];

static void
note(const char *text)
{
	(void)snprintf(
	    notes + strlen(notes), sizeof(notes) - strlen(notes), "%s\n", text);
}

static void
editor(const char *json)
{
	ck_assert_int_eq(session_hear_editor(&session, json, strlen(json)), 0);
}

static int
worker(const char *json)
{
	return session_hear_worker(&session, json, strlen(json), &why);
}

/* The bodies of what was sent, with spaces between them. */
static const char *
taken(struct buf *from)
{
	static struct buf said;
	struct frame frame = { 0 };
	const char *body;
	size_t len;

	buf_reset(&said);
	ck_assert_int_eq(frame_put(&frame, from->data, from->len), 0);
	while (frame_next(&frame, &body, &len, &why) > 0) {
		if (said.len > 0)
			ck_assert_int_eq(buf_puts(&said, " "), 0);
		ck_assert_int_eq(buf_put(&said, body, len), 0);
	}
	frame_fini(&frame);
	buf_reset(from);
	return buf_cstr(&said);
}

#define WORKER_HEARS(text) ck_assert_str_eq(taken(&session.to_worker), text)
#define EDITOR_HEARS(text) ck_assert_str_eq(taken(&session.to_editor), text)

#define INITIALIZE                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":"  \
	"{\"workspaceFolders\":[{\"uri\":\"a\"}]}}"
#define RESULT                                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"capabilities\":"          \
	"{\"hoverProvider\":true}}}"
#define AGAIN(n, folder)                                                       \
	"{\"jsonrpc\":\"2.0\",\"id\":\"reforkctl:" n                           \
	"\",\"method\":\"initialize\",\"params\":{\"workspaceFolders\":["      \
	"{\"uri\":\"" folder "\"}]}}"
#define RESULT_AGAIN(n, capabilities)                                          \
	"{\"jsonrpc\":\"2.0\",\"id\":\"reforkctl:" n                           \
	"\",\"result\":{\"capabilities\":{" capabilities "}}}"
#define INITIALIZED                                                            \
	"{\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}"
#define SETTLED(n)                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":\"reforkctl:" n                           \
	":settled\",\"method\":\"$/reforkctl/settled\"}"
#define OPEN(version, text)                                                    \
	"{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\","            \
	"\"params\":{\"textDocument\":{\"uri\":\"u\",\"languageId\":\"ruby\"," \
	"\"version\":" version ",\"text\":\"" text "\"}}}"
#define CHANGE(version, text)                                                  \
	"{\"method\":\"textDocument/didChange\",\"params\":{"                  \
	"\"textDocument\":{\"uri\":\"u\",\"version\":" version                 \
	"},\"contentChanges\":[{\"text\":\"" text "\"}]}}"
#define ASK(id, method) "{\"id\":" id ",\"method\":\"" method "\"}"
#define ANSWER(id) "{\"id\":" id ",\"result\":7}"

static void
begin(void)
{
	notes[0] = '\0';
	memset(&why, 0, sizeof(why));
	ck_assert_int_eq(session_init(&session, note), 0);
	editor(INITIALIZE);
	WORKER_HEARS(INITIALIZE);
	ck_assert_int_eq(worker(RESULT), 0);
	EDITOR_HEARS(RESULT);
	editor(INITIALIZED);
	editor(OPEN("1", "old"));
	WORKER_HEARS(INITIALIZED " " OPEN("1", "old"));
}

static void
end(void)
{
	session_fini(&session);
}

static void
replace(const char *initialize)
{
	ck_assert_int_eq(session_lose_worker(&session), 0);
	ck_assert_int_eq(session_take_worker(&session), 0);
	WORKER_HEARS(initialize);
}

START_TEST(another_worker_is_told_what_was_before)
{
	editor(CHANGE("2", "new"));
	editor(
	    "{\"method\":\"workspace/didChangeConfiguration\",\"params\":1}");
	editor(
	    "{\"method\":\"workspace/didChangeConfiguration\",\"params\":2}");
	replace(AGAIN("2", "a"));
	ck_assert_int_eq(
	    worker(RESULT_AGAIN("2", "\"hoverProvider\":true")), 0);
	WORKER_HEARS(INITIALIZED " {\"method\":\"workspace/"
				 "didChangeConfiguration\",\"params\":2} " OPEN(
				     "2", "new") " " SETTLED("2"));
	EDITOR_HEARS("");
	ck_assert_str_eq(notes, "");
}
END_TEST

START_TEST(meanwhile_edits_are_kept_and_questions_wait)
{
	replace(AGAIN("2", "a"));
	editor(CHANGE("3", "newer"));
	editor(ASK("5", "textDocument/hover"));
	editor("{\"method\":\"textDocument/didSave\"}");
	editor(ASK("6", "x/custom"));
	editor(ASK("8", "textDocument/hover"));
	editor("{\"method\":\"$/cancelRequest\",\"params\":{\"id\":8}}");
	WORKER_HEARS("");
	EDITOR_HEARS("{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":-32800,"
		     "\"message\":\"cancelled\"}}");
	ck_assert_int_eq(
	    worker(RESULT_AGAIN("2", "\"hoverProvider\":true")), 0);
	WORKER_HEARS(INITIALIZED
	    " " OPEN("3", "newer") " {\"method\":"
				   "\"textDocument/didSave\"} " SETTLED("2"));
	/* It has the documents, and is told of edits, but not asked yet. */
	editor(CHANGE("4", "newest"));
	editor(ASK("9", "textDocument/hover"));
	WORKER_HEARS(CHANGE("4", "newest"));
	ck_assert(!session_is_idle(&session));
	ck_assert_int_eq(worker("{\"id\":\"reforkctl:2:settled\","
				"\"error\":{\"code\":-32601}}"),
	    0);
	WORKER_HEARS(ASK("5", "textDocument/hover") " " ASK(
	    "6", "x/custom") " " ASK("9", "textDocument/hover"));
	ck_assert_int_eq(worker(ANSWER("9")), 0);
	EDITOR_HEARS(ANSWER("9"));
	ck_assert(!session_is_idle(&session));
	ck_assert_int_eq(worker(ANSWER("6")), 0);
	ck_assert_int_eq(worker(ANSWER("5")), 0);
	EDITOR_HEARS(ANSWER("6") " " ANSWER("5"));
	ck_assert(session_is_idle(&session));
}
END_TEST

START_TEST(nothing_is_said_to_a_new_worker_before_initialize)
{
	ck_assert_int_eq(session_lose_worker(&session), 0);
	editor(ASK("5", "textDocument/hover"));
	editor(CHANGE("2", "new"));
	editor(ANSWER("\"g1:12\""));
	ck_assert_int_eq(session_take_worker(&session), 0);
	WORKER_HEARS(AGAIN("2", "a"));
	ck_assert_int_eq(
	    worker(RESULT_AGAIN("2", "\"hoverProvider\":true")), 0);
	WORKER_HEARS(INITIALIZED " " OPEN("2", "new") " " SETTLED("2"));
	ck_assert_int_eq(session_settle(&session), 0);
	WORKER_HEARS(ASK("5", "textDocument/hover"));
}
END_TEST

START_TEST(harmless_questions_are_asked_again_others_are_refused)
{
	editor(ASK("5", "textDocument/hover"));
	editor(ASK("\"a\"", "workspace/executeCommand"));
	(void)taken(&session.to_worker);
	replace(AGAIN("2", "a"));
	EDITOR_HEARS("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":"
		     "-32802,\"message\":\"the language server's worker was "
		     "replaced; ask again\"}}");
	ck_assert_int_eq(
	    worker(RESULT_AGAIN("2", "\"hoverProvider\":true")), 0);
	WORKER_HEARS(INITIALIZED " " OPEN("1", "old") " " SETTLED("2"));
	ck_assert_int_eq(session_settle(&session), 0);
	WORKER_HEARS(ASK("5", "textDocument/hover"));
	/* The answer comes all the same, later. */
	ck_assert_int_eq(worker(ANSWER("\"reforkctl:2:settled\"")), 0);
	EDITOR_HEARS("");
}
END_TEST

START_TEST(a_worker_that_dies_in_initialize_is_asked_again)
{
	end();
	ck_assert_int_eq(session_init(&session, note), 0);
	editor(INITIALIZE);
	(void)taken(&session.to_worker);
	replace(INITIALIZE);
	ck_assert_int_eq(worker(RESULT), 0);
	EDITOR_HEARS(RESULT);
	WORKER_HEARS("");
	ck_assert(!session.replaying);
}
END_TEST

START_TEST(replacements_may_fail_in_the_middle)
{
	editor(ASK("5", "textDocument/hover"));
	(void)taken(&session.to_worker);
	replace(AGAIN("2", "a"));
	replace(AGAIN("3", "a"));
	/* of the dead one */
	ck_assert_int_eq(worker(RESULT_AGAIN("2", "")), 0);
	WORKER_HEARS("");
	ck_assert_int_eq(
	    worker(RESULT_AGAIN("3", "\"hoverProvider\":true")), 0);
	WORKER_HEARS(INITIALIZED " " OPEN("1", "old") " " SETTLED("3"));
	ck_assert_int_eq(worker(ANSWER("\"reforkctl:3:settled\"")), 0);
	WORKER_HEARS(ASK("5", "textDocument/hover"));
}
END_TEST

START_TEST(capabilities_that_differ_are_noted)
{
	replace(AGAIN("2", "a"));
	ck_assert_int_eq(worker(RESULT_AGAIN("2",
			     "\"hoverProvider\":{},\"renameProvider\":true")),
	    0);
	ck_assert_str_eq(notes, "the new worker has another hoverProvider\n"
				"the new worker has renameProvider, which the "
				"editor does not know\n");
	notes[0] = '\0';
	replace(AGAIN("3", "a"));
	ck_assert_int_eq(worker(RESULT_AGAIN("3", "")), 0);
	ck_assert_ptr_nonnull(strstr(notes, "has no hoverProvider any more"));
}
END_TEST

START_TEST(another_encoding_or_an_error_is_no_replacement)
{
	replace(AGAIN("2", "a"));
	ck_assert_int_eq(
	    worker(RESULT_AGAIN("2", "\"positionEncoding\":\"utf-8\"")),
	    -EPROTO);
	ck_assert_int_eq(
	    worker("{\"id\":\"reforkctl:2\",\"error\":{}}"), -EPROTO);
}
END_TEST

START_TEST(questions_of_workers_have_their_number)
{
	ck_assert_int_eq(worker(ASK("12", "workspace/configuration")), 0);
	ck_assert_int_eq(worker(ASK("\"x\"", "y/z")), 0);
	EDITOR_HEARS(
	    "{\"id\":\"g1:12\",\"method\":\"workspace/configuration\"} "
	    "{\"id\":\"g1:\\\"x\\\"\",\"method\":\"y/z\"}");
	editor(ANSWER("\"g1:12\""));
	editor(ANSWER("\"g1:\\\"x\\\"\""));
	WORKER_HEARS(ANSWER("12") " " ANSWER("\"x\""));
	ck_assert_int_eq(worker("{\"method\":\"$/cancelRequest\",\"params\":{"
				"\"id\":12}}"),
	    0);
	EDITOR_HEARS("{\"method\":\"$/cancelRequest\",\"params\":{\"id\":"
		     "\"g1:12\"}}");
	replace(AGAIN("2", "a"));
	editor(ANSWER("\"g1:12\"")); /* for a dead one */
	WORKER_HEARS("");
	ck_assert_str_eq(notes, "");
}
END_TEST

#define REGISTER(id, name, method)                                             \
	"{\"id\":" id ",\"method\":\"client/registerCapability\",\"params\":{" \
	"\"registrations\":[{\"id\":\"" name "\",\"method\":\"" method         \
	"\"}]}}"
#define NOTHING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":null}"
#define CREATE(id)                                                             \
	"{\"id\":" id ",\"method\":\"window/workDoneProgress/create\","        \
	"\"params\":{\"token\":\"t\"}}"
#define PROGRESS(kind)                                                         \
	"{\"jsonrpc\":\"2.0\",\"method\":\"$/progress\",\"params\":{"          \
	"\"token\":\"t\",\"value\":{\"kind\":\"" kind "\"}}}"

START_TEST(what_is_registered_is_not_registered_again)
{
	ck_assert_int_eq(worker(REGISTER("1", "r1", "watch")), 0);
	EDITOR_HEARS(REGISTER("\"g1:1\"", "r1", "watch"));
	replace(AGAIN("2", "a"));
	ck_assert_int_eq(worker(REGISTER("1", "other", "watch")), 0);
	ck_assert_int_eq(worker(REGISTER("2", "r2", "hover")), 0);
	EDITOR_HEARS(REGISTER("\"g2:2\"", "r2", "hover"));
	WORKER_HEARS(NOTHING("1"));
	/* Under its new name the worker ends what the editor calls r1. */
	ck_assert_int_eq(
	    worker("{\"id\":3,\"method\":\"client/unregisterCapability\","
		   "\"params\":{\"unregisterations\":[{\"id\":\"other\"}]}}"),
	    0);
	ck_assert_ptr_nonnull(
	    strstr(taken(&session.to_editor), "[{\"id\":\"r1\"}]"));
}
END_TEST

START_TEST(progress_ends_with_its_worker_and_is_not_made_again)
{
	ck_assert_int_eq(worker(CREATE("1")), 0);
	ck_assert_int_eq(worker(PROGRESS("begin")), 0);
	EDITOR_HEARS(CREATE("\"g1:1\"") " " PROGRESS("begin"));
	replace(AGAIN("2", "a"));
	EDITOR_HEARS(PROGRESS("end"));
	ck_assert_int_eq(worker(CREATE("1")), 0);
	ck_assert_int_eq(worker(PROGRESS("begin")), 0);
	ck_assert_int_eq(worker(PROGRESS("end")), 0);
	EDITOR_HEARS("");
	WORKER_HEARS(NOTHING("1"));
	ck_assert_int_eq(worker("{\"id\":1,\"method\":\"window/"
				"workDoneProgress/create\"}"),
	    0);
	ck_assert_int_eq(session_lose_worker(&session), 0);
}
END_TEST

START_TEST(folders_of_today_are_told)
{
	editor("{\"method\":\"workspace/didChangeWorkspaceFolders\","
	       "\"params\":{\"event\":{\"added\":[{\"uri\":\"b\"}],"
	       "\"removed\":[{\"uri\":\"a\"}]}}}");
	(void)taken(&session.to_worker);
	replace(AGAIN("2", "b"));
}
END_TEST

START_TEST(shutdown_and_exit_pass)
{
	editor(ASK("9", "shutdown"));
	WORKER_HEARS(ASK("9", "shutdown"));
	ck_assert(session.leaving);
	ck_assert_int_eq(session_give_up(&session, "x"), 0);
	EDITOR_HEARS(NOTHING("9"));
	editor("{\"method\":\"exit\"}");
	ck_assert(session.exited);
}
END_TEST

START_TEST(giving_up_answers_everybody)
{
	editor(ASK("5", "textDocument/hover"));
	ck_assert_int_eq(session_give_up(&session, "no more"), 0);
	EDITOR_HEARS("{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32603,"
		     "\"message\":\"no more\"}}");
}
END_TEST

static const char *const broken[] = { "{", "[]", "7", "", "{\"id\":1}",
	"{\"id\":{},\"method\":\"x\"}", "{\"id\":1.5,\"method\":\"x\"}",
	"{\"method\":7}", "\xff", "{\"id\":\"\xc3\"}",
	"{\"a\":\"\\u00\xf0\x9f\x98\x80\"}" };

START_TEST(broken_messages_are_dropped_or_end_the_worker)
{
	editor(broken[_i]);
	WORKER_HEARS("");
	ck_assert_ptr_nonnull(strstr(notes, "a message of the editor"));
	ck_assert_ptr_nonnull(
	    strstr(taken(&session.to_editor), "\"code\":-32"));
	ck_assert_int_eq(worker(broken[_i]), -EPROTO);
	ck_assert_int_ne(why.text[0], '\0');
	editor(ASK("5", "textDocument/hover"));
	WORKER_HEARS(ASK("5", "textDocument/hover"));
}
END_TEST

static const char *const odd[] = { ANSWER("77"), ANSWER("\"g1:12\""),
	ANSWER("\"reforkctl:1\"") };

START_TEST(answers_to_nothing_are_dropped)
{
	ck_assert_int_eq(worker(odd[_i]), 0);
	EDITOR_HEARS("");
}
END_TEST

static const char *const answers[] = { ANSWER("7"), ANSWER("\"x\""),
	ANSWER("\"g9:1\""), ANSWER("\"g1:\""), ANSWER("\"g1:[]\""),
	ANSWER("\"g1:{\"") };

START_TEST(answers_of_the_editor_to_nothing_are_dropped)
{
	editor(answers[_i]);
	WORKER_HEARS("");
	ck_assert_ptr_nonnull(strstr(notes, "what nobody has asked"));
}
END_TEST

START_TEST(initialize_comes_once)
{
	editor(INITIALIZE);
	WORKER_HEARS("");
	ck_assert_ptr_nonnull(strstr(taken(&session.to_editor), "-32600"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay/session");
	TCase *tcase = tcase_create("session");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, another_worker_is_told_what_was_before);
	tcase_add_test(tcase, meanwhile_edits_are_kept_and_questions_wait);
	tcase_add_test(
	    tcase, nothing_is_said_to_a_new_worker_before_initialize);
	tcase_add_test(
	    tcase, harmless_questions_are_asked_again_others_are_refused);
	tcase_add_test(tcase, a_worker_that_dies_in_initialize_is_asked_again);
	tcase_add_test(tcase, replacements_may_fail_in_the_middle);
	tcase_add_test(tcase, capabilities_that_differ_are_noted);
	tcase_add_test(tcase, another_encoding_or_an_error_is_no_replacement);
	tcase_add_test(tcase, questions_of_workers_have_their_number);
	tcase_add_test(tcase, what_is_registered_is_not_registered_again);
	tcase_add_test(
	    tcase, progress_ends_with_its_worker_and_is_not_made_again);
	tcase_add_test(tcase, folders_of_today_are_told);
	tcase_add_test(tcase, shutdown_and_exit_pass);
	tcase_add_test(tcase, giving_up_answers_everybody);
	tcase_add_loop_test(tcase,
	    broken_messages_are_dropped_or_end_the_worker, 0,
	    (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_loop_test(tcase, answers_to_nothing_are_dropped, 0,
	    (int)(sizeof(odd) / sizeof(odd[0])));
	tcase_add_loop_test(tcase, answers_of_the_editor_to_nothing_are_dropped,
	    0, (int)(sizeof(answers) / sizeof(answers[0])));
	tcase_add_test(tcase, initialize_comes_once);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
