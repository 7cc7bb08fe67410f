package dev.mainstay.server.security;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// An endpoint that answers those, too, who may see certain sources only. One without it is of the
/// whole repository, and refuses them: so a new endpoint tells nobody too much.
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface SourceGrant {
    /// The parameter of path or query that names the source, which is looked at before the endpoint
    /// is asked. Empty where the endpoint looks by itself, with [Grants].
    String value() default "";
}
