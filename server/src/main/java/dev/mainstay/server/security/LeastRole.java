package dev.mainstay.server.security;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Who may use an endpoint: whoever's role covers this one. The rules of the server and its OpenAPI
/// document both read it here. An endpoint without it, or [Everybody], keeps the server from
/// starting.
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface LeastRole {
    Role value();
}
