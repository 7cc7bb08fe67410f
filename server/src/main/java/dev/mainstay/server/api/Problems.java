package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.apache.tomcat.util.http.InvalidParameterException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;

import java.util.regex.Pattern;

/// What goes wrong, as RFC 9457 has it, with the number and the hint that the command line prints.
@RestControllerAdvice
public final class Problems {
    /// Numbers of what is wrong with the store, what is in it, or the keys to it.
    private static final Pattern REPOSITORY = Pattern.compile("MS-0[123]\\d\\d");

    private static final Logger LOG = LoggerFactory.getLogger(Problems.class);

    @ExceptionHandler
    ProblemDetail known(MainstayException failed) {
        return problem(
                status(failed.code()),
                failed.code(),
                String.valueOf(failed.getMessage()),
                failed.hint());
    }

    /// What a request that cannot be understood throws says itself which it is.
    @ExceptionHandler
    ProblemDetail other(Exception wrong) {
        if (wrong instanceof ErrorResponse response && response.getStatusCode().is4xxClientError()) {
            ProblemDetail problem = response.getBody();
            problem.setDetail(null); // it may quote what was sent
            return problem;
        }
        if (wrong instanceof MethodArgumentTypeMismatchException parameter) {
            return problem(
                    HttpStatus.BAD_REQUEST,
                    ErrorCode.USAGE_INVALID,
                    parameter.getName() + " is not what it should be",
                    "see docs/server.md");
        }
        if (wrong instanceof InvalidParameterException) {
            return problem(
                    HttpStatus.BAD_REQUEST,
                    ErrorCode.USAGE_INVALID,
                    "the query is not encoded as it should be",
                    "see docs/server.md");
        }
        if (wrong instanceof HttpMessageNotReadableException) {
            return problem(
                    HttpStatus.BAD_REQUEST,
                    ErrorCode.USAGE_INVALID,
                    "the body is not the JSON that is expected",
                    "see docs/server.md");
        }
        LOG.error("a request met a bug", wrong);
        return problem(
                HttpStatus.INTERNAL_SERVER_ERROR,
                ErrorCode.INTERNAL,
                "unexpected " + wrong.getClass().getName(),
                ErrorCode.INTERNAL.hint());
    }

    private static ProblemDetail problem(
            HttpStatus status, ErrorCode code, String detail, String hint) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
        problem.setProperty("code", code.id());
        problem.setProperty("hint", hint);
        return problem;
    }

    private static HttpStatus status(ErrorCode code) {
        return switch (code) {
            case GRANT_LACKING, ROLE_LACKING, CONFIRMATION_INVALID, CONFIRMATION_OWN ->
                    HttpStatus.FORBIDDEN;
            case CONFIRMATION_ABSENT -> HttpStatus.PRECONDITION_REQUIRED;
            case SOURCE_UNKNOWN,
                    ALERT_UNKNOWN,
                    CHANNEL_UNKNOWN,
                    CONFIRMATION_UNKNOWN,
                    JOB_UNKNOWN,
                    TOKEN_UNKNOWN,
                    BACKUP_UNKNOWN,
                    WAL_ABSENT ->
                    HttpStatus.NOT_FOUND;
            case SOURCE_SHREDDED -> HttpStatus.GONE;
            case USAGE_INVALID -> HttpStatus.BAD_REQUEST;
            case ALERT_OVER,
                    JOB_OVER,
                    CONFIRMATION_OVER,
                    CONFIRMATION_OTHER,
                    CONFIRMATION_WAITS,
                    RESTORE_SERVER_RUNNING,
                    RESTORE_DIRECTORY_UNSAFE,
                    RESTORE_OTHER_CLUSTER,
                    RESTORE_PREVIOUS ->
                    HttpStatus.CONFLICT;
            case CONFIG_MISSING,
                    CONFIG_INVALID,
                    CONFIG_KEY_UNKNOWN,
                    CONFIG_VARIABLE_UNSET,
                    SERVER_CERTIFICATE,
                    RESTORE_NO_BACKUP,
                    RESTORE_TARGET_UNREACHABLE, RESTORE_TABLESPACE, KEY_REUSED ->
                    HttpStatus.UNPROCESSABLE_CONTENT;
            case CHANNEL_FAILED -> HttpStatus.BAD_GATEWAY;
            default ->
                    REPOSITORY.matcher(code.id()).matches()
                            ? HttpStatus.SERVICE_UNAVAILABLE
                            : HttpStatus.INTERNAL_SERVER_ERROR;
        };
    }
}
