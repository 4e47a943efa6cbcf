CREATE TABLE courses (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         VARCHAR(120) NOT NULL,
    city         VARCHAR(120) NOT NULL,
    country_code CHAR(2)      NOT NULL,
    hole_count   SMALLINT     NOT NULL CHECK (hole_count BETWEEN 1 AND 36),
    approved     BOOLEAN      NOT NULL DEFAULT FALSE,
    submitted_by BIGINT       REFERENCES users (id) ON DELETE SET NULL,
    created_at   TIMESTAMPTZ  NOT NULL DEFAULT now(),
    UNIQUE (name, city, country_code)
);

CREATE TABLE holes (
    course_id   BIGINT   NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    hole_number SMALLINT NOT NULL CHECK (hole_number BETWEEN 1 AND 36),
    par         SMALLINT NOT NULL DEFAULT 3 CHECK (par BETWEEN 2 AND 6),
    distance_m  INTEGER  CHECK (distance_m > 0),
    PRIMARY KEY (course_id, hole_number)
);
