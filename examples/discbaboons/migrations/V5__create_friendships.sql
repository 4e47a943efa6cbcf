CREATE TYPE friendship_status AS ENUM ('pending', 'accepted', 'denied');

CREATE TABLE friendships (
    requester_id BIGINT            NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    recipient_id BIGINT            NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status       friendship_status NOT NULL DEFAULT 'pending',
    created_at   TIMESTAMPTZ       NOT NULL DEFAULT now(),
    PRIMARY KEY (requester_id, recipient_id),
    CHECK (requester_id <> recipient_id)
);

-- One friendship for each pair, whoever asked.
CREATE UNIQUE INDEX friendships_pair_key
    ON friendships (least(requester_id, recipient_id), greatest(requester_id, recipient_id));
