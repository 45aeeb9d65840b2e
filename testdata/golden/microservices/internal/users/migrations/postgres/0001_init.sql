-- +goose Up
CREATE TABLE "users" (
    "id" UUID NOT NULL PRIMARY KEY,
    "email" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "role" TEXT COLLATE "C" NOT NULL,
    "phone" TEXT COLLATE "C",
    "created_at" BIGINT NOT NULL,
    "updated_at" BIGINT NOT NULL,
    "row_version" BIGINT NOT NULL
);
CREATE INDEX "users_role_idx" ON "users" ("role");

-- +goose Down
DROP TABLE "users";
