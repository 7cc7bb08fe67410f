package dev.mainstay.server.operators;

import dev.mainstay.base.ErrorCode;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;

/// What these paths promise and Mainstay cannot do yet is refused, never pretended.
final class NotYet {
    private NotYet() {}

    static ResponseEntity<ProblemDetail> answer(String what) {
        ProblemDetail problem =
                ProblemDetail.forStatusAndDetail(
                        HttpStatus.NOT_IMPLEMENTED, "this version of Mainstay has no " + what);
        problem.setProperty("code", ErrorCode.NOT_OFFERED.id());
        problem.setProperty("hint", ErrorCode.NOT_OFFERED.hint());
        return ResponseEntity.of(problem).build();
    }
}
