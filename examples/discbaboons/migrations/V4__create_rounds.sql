CREATE TYPE round_status AS ENUM ('in_progress', 'completed', 'cancelled');

CREATE TABLE rounds (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    course_id  BIGINT       NOT NULL REFERENCES courses (id) ON DELETE RESTRICT,
    created_by BIGINT       NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status     round_status NOT NULL DEFAULT 'in_progress',
    started_at TIMESTAMPTZ  NOT NULL DEFAULT now()
);

CREATE INDEX rounds_created_by_idx ON rounds (created_by, started_at DESC);

CREATE TABLE scores (
    round_id    BIGINT   NOT NULL REFERENCES rounds (id) ON DELETE CASCADE,
    user_id     BIGINT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hole_number SMALLINT NOT NULL CHECK (hole_number BETWEEN 1 AND 36),
    strokes     SMALLINT NOT NULL CHECK (strokes BETWEEN 1 AND 20),
    PRIMARY KEY (round_id, user_id, hole_number)
);
