-- +goose Up
CREATE TABLE "products" (
    "id" UUID NOT NULL PRIMARY KEY,
    "sku" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "description" TEXT COLLATE "C",
    "price" BIGINT NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "category" TEXT COLLATE "C" NOT NULL,
    "tags" JSON NOT NULL,
    "dimensions" JSON,
    "seller_id" UUID,
    "created_at" BIGINT NOT NULL,
    "updated_at" BIGINT NOT NULL,
    "row_version" BIGINT NOT NULL
);
CREATE INDEX "products_category_idx" ON "products" ("category");
CREATE INDEX "products_name_id_idx" ON "products" ("name", "id");
CREATE INDEX "products_price_id_idx" ON "products" ("price", "id");
CREATE INDEX "products_created_at_id_idx" ON "products" ("created_at", "id");
CREATE TABLE "reviews" (
    "id" UUID NOT NULL PRIMARY KEY,
    "product_id" UUID NOT NULL,
    "rating" BIGINT NOT NULL,
    "title" TEXT COLLATE "C",
    "text" TEXT COLLATE "C",
    "created_at" BIGINT NOT NULL,
    "row_version" BIGINT NOT NULL,
    FOREIGN KEY ("product_id") REFERENCES "products" ("id") ON DELETE CASCADE
);
CREATE INDEX "reviews_product_id_idx" ON "reviews" ("product_id");
CREATE INDEX "reviews_rating_idx" ON "reviews" ("rating");

-- +goose Down
DROP TABLE "reviews";
DROP TABLE "products";
